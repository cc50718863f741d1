#include "store/objects/blob_directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/file.h"
#include "store/random.h"

namespace headrace::store {
namespace {

constexpr size_t kRunDigits = 12;
constexpr size_t kOwnDigits = 20;
// Written bytes start on their way to the disk in pieces of this size, so that the flush at the end has little to do.
constexpr uint64_t kFlushBytes = uint64_t{8} << 20;

tl::unexpected<Error> FailErrno(const std::string& path, const char* what) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE;
  const auto code = error == ENOENT ? ErrorCode::kNotFound
                    : full          ? ErrorCode::kResourceExhausted
                                    : ErrorCode::kFailedPrecondition;
  return Fail(code, "{}: cannot {}: {}", path, what, std::strerror(error));
}

Status SyncDirectory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return FailErrno(path, "open");
  if (::fsync(directory.get()) != 0) return FailErrno(path, "flush");
  return {};
}

struct Hashes {
  std::string md5;  // hexadecimal
  uint64_t crc64 = 0, size = 0;
};

Result<Hashes> HashFile(int fd, const std::string& path, const std::function<bool()>& cancelled) {
  Hashes hashes;
  Md5 md5;
  std::string buffer(size_t{1} << 20, '\0');
  while (true) {
    if (cancelled()) return Fail(ErrorCode::kUnavailable, "{}: cancelled", path);
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(hashes.size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path, "read");
    if (n == 0) break;
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    md5.Update(piece);
    hashes.crc64 = Crc64Nvme(piece, hashes.crc64);
    hashes.size += piece.size();
  }
  hashes.md5 = ToHex(md5.Finish());
  return hashes;
}

// read and write, for file systems between which copy_file_range does not work.
ssize_t CopyThroughMemory(int from, off_t offset, int to, size_t size) {
  std::array<char, 1 << 16> buffer;
  const ssize_t n = ::pread(from, buffer.data(), std::min(size, buffer.size()), offset);
  return n <= 0 ? n : ::write(to, buffer.data(), static_cast<size_t>(n));
}

}  // namespace

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : directory_(other.directory_),
      blob_(std::move(other.blob_)),
      path_(std::exchange(other.path_, {})),
      file_(std::move(other.file_)),
      hash_(std::move(other.hash_)),
      crc64_(other.crc64_),
      md5_(std::move(other.md5_)),
      size_(other.size_),
      flushed_(other.flushed_) {}

BlobWriter::~BlobWriter() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status BlobWriter::Write(std::string_view bytes) {
  if (hash_) hash_->Update(bytes);
  if (crc64_) crc64_ = Crc64Nvme(bytes, *crc64_);
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path_, "write");
    bytes.remove_prefix(static_cast<size_t>(n));
    size_ += static_cast<uint64_t>(n);
  }
  return StartFlush();
}

Status BlobWriter::AppendFrom(int fd, uint64_t offset, uint64_t size) {
  crc64_.reset();
  while (size > 0) {
    auto from = static_cast<off_t>(offset);
    ssize_t n = ::copy_file_range(fd, &from, file_.get(), nullptr, size, 0);
    if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
      n = CopyThroughMemory(fd, static_cast<off_t>(offset), file_.get(), size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(path_, "copy into");
    if (n == 0) return Fail(ErrorCode::kDataLoss, "{}: the file to copy from ends {} bytes early", path_, size);
    offset += static_cast<uint64_t>(n);
    size -= static_cast<uint64_t>(n);
    size_ += static_cast<uint64_t>(n);
    HEADRACE_TRY(StartFlush());
  }
  return {};
}

Status BlobWriter::StartFlush() {
  if (size_ - flushed_ < kFlushBytes) return {};
  ::sync_file_range(file_.get(), static_cast<off_t>(flushed_), static_cast<off_t>(size_ - flushed_),
                    SYNC_FILE_RANGE_WRITE);
  flushed_ = size_;
  return directory_->room_.Check();
}

// Moved first and flushed then: the file's flush takes the new name along on journaling file systems, which leaves the
// directory's with nothing to do. No row names the blob before both are done.
Status BlobWriter::Seal() {
  if (hash_) md5_ = ToHex(hash_->Finish());
  HEADRACE_TRY(directory_->MoveIn(path_, blob_));
  path_ = directory_->PathOf(blob_);
  if (::fsync(file_.get()) != 0) return FailErrno(path_, "flush");
  file_.Reset();
  return SyncDirectory(directory_->ShardOf(blob_));
}

std::string BlobWriter::crc64nvme() const {
  if (!crc64_) return "";
  std::array<unsigned char, 8> big_endian{};
  for (size_t i = 0; i < big_endian.size(); ++i) big_endian[i] = static_cast<unsigned char>(*crc64_ >> (56 - 8 * i));
  std::array<unsigned char, 13> text{};
  const int size = ::EVP_EncodeBlock(text.data(), big_endian.data(), static_cast<int>(big_endian.size()));
  return {reinterpret_cast<const char*>(text.data()), static_cast<size_t>(size)};
}

BlobDirectory::BlobDirectory(std::string path)
    : path_(std::move(path)), run_(RandomText(kHexDigits, kRunDigits)), room_(path_) {}

Result<std::unique_ptr<BlobDirectory>> BlobDirectory::Open(const std::string& path) {
  HEADRACE_TRY(MakeDirectories(path + "/incoming"));
  HEADRACE_TRY(MakeDirectories(path + "/blobs"));
  if (::chmod(path.c_str(), 0700) != 0) return FailErrno(path, "close to others");
  std::unique_ptr<BlobDirectory> directory(new BlobDirectory(path));
  const std::string lock = path + "/lock";
  directory->lock_ = Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!directory->lock_) return FailErrno(lock, "create");
  if (!LockExclusively(directory->lock_.get()))
    return Fail(ErrorCode::kFailedPrecondition, "{}: another headrace uses this data directory", path);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path + "/incoming", error))
    std::filesystem::remove(entry.path(), error);
  return directory;
}

std::string BlobDirectory::NewName() const { return run_ + RandomText(kHexDigits, kOwnDigits); }

std::string BlobDirectory::ShardOf(const std::string& blob) const {
  return path_ + "/blobs/" + blob.substr(std::min(kRunDigits, blob.size()), 2);
}

std::string BlobDirectory::PathOf(const std::string& blob) const { return ShardOf(blob) + "/" + blob; }

Result<BlobWriter> BlobDirectory::New(Hashing hashing) const {
  HEADRACE_TRY(room_.Check());
  BlobWriter writer(*this, NewName());
  if (hashing == Hashing::kHere) {
    writer.hash_.emplace();
    writer.crc64_ = 0;
  }
  const std::string path = path_ + "/incoming/" + writer.blob_;
  writer.file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!writer.file_) return FailErrno(path, "create");
  writer.path_ = path;
  return writer;
}

Result<BlobWriter> BlobDirectory::Adopt(const std::string& file, const std::function<bool()>& cancelled) const {
  const Descriptor from(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!from) return FailErrno(file, "open");
  BlobWriter writer(*this, NewName());
  HEADRACE_ASSIGN(const Hashes hashes, HashFile(from.get(), file, cancelled));
  writer.md5_ = hashes.md5;
  writer.crc64_ = hashes.crc64;
  writer.size_ = hashes.size;
  if (::fsync(from.get()) != 0) return FailErrno(file, "flush");
  if (::fchmod(from.get(), 0600) != 0) return FailErrno(file, "close to others");
  HEADRACE_TRY(MoveIn(file, writer.blob_));
  writer.path_ = PathOf(writer.blob_);
  HEADRACE_TRY(SyncDirectory(ShardOf(writer.blob_)));
  return writer;
}

Status BlobDirectory::MoveIn(const std::string& from, const std::string& blob) const {
  const std::string to = PathOf(blob), shard = ShardOf(blob);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    if (errno != ENOENT) return FailErrno(to, "rename into place");
    HEADRACE_TRY(MakeDirectories(shard));
    HEADRACE_TRY(SyncDirectory(path_ + "/blobs"));
    if (::rename(from.c_str(), to.c_str()) != 0) return FailErrno(to, "rename into place");
  }
  return {};
}

Result<std::shared_ptr<const Descriptor>> BlobDirectory::Open(const std::string& blob, const char* what) const {
  const std::string path = PathOf(blob);
  auto file = std::make_shared<const Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!*file) return FailErrno(path, what);
  return file;
}

void BlobDirectory::Remove(const std::string& blob) const { ::unlink(PathOf(blob).c_str()); }

size_t BlobDirectory::Sweep(const std::function<bool(const std::string&)>& in_use,
                            const std::function<bool()>& stop) const {
  size_t removed = 0;
  std::error_code error;
  for (const auto& shard : std::filesystem::directory_iterator(path_ + "/blobs", error)) {
    for (const auto& entry : std::filesystem::directory_iterator(shard.path(), error)) {
      if (stop()) return removed;
      const std::string blob = entry.path().filename().string();
      if (blob.compare(0, kRunDigits, run_) == 0 || in_use(blob)) continue;
      removed += std::filesystem::remove(entry.path(), error) ? 1 : 0;
    }
  }
  return removed;
}

}  // namespace headrace::store
