#include "horovod/shm/segment.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::hvd {
namespace {

// The file begins with a page for the token, which is written before anybody else learns the name.
constexpr size_t kHeaderBytes = 4096;
constexpr size_t kTokenLetters = 32;
constexpr size_t kLargest = size_t{1} << 46;

std::string RandomHex() {
  unsigned char bytes[kTokenLetters / 2];
  for (size_t done = 0; done < sizeof bytes;) {
    const ssize_t got = ::getrandom(bytes + done, sizeof bytes - done, 0);
    if (got > 0) done += static_cast<size_t>(got);
  }
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

struct flock MarkAt(int index, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = index;
  lock.l_len = 1;
  return lock;
}

}  // namespace

std::string SegmentName::ToText() const { return fmt::format("{} {} {}", token, bytes, path); }

Result<SegmentName> SegmentName::FromText(const std::string& text) {
  const size_t first = text.find(' '), second = text.find(' ', first + 1);
  if (first != kTokenLetters || second == std::string::npos || text[second + 1] != '/')
    return Fail(ErrorCode::kDataLoss, "shared memory: found the name \"{}\", wanted a token, a size and a path", text);
  SegmentName name{text.substr(second + 1), text.substr(0, first), 0};
  name.bytes = std::strtoull(text.c_str() + first + 1, nullptr, 10);
  if (name.bytes == 0 || name.bytes > kLargest)
    return Fail(ErrorCode::kDataLoss, "shared memory: found a size of {} bytes, wanted 1 to 2^46", name.bytes);
  return name;
}

std::string SharedMemoryDirectory() {
  const char* directory = std::getenv("HEADRACE_SHARED_MEMORY_DIR");
  return directory == nullptr || *directory == '\0' ? "/dev/shm" : directory;
}

Segment::Segment(Segment&& other) noexcept { *this = std::move(other); }

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(file_, other.file_);
  std::swap(data_, other.data_);
  std::swap(linked_, other.linked_);
  return *this;
}

Segment::~Segment() {
  if (data_ != nullptr) ::munmap(data_ - kHeaderBytes, kHeaderBytes + name_.bytes);
  Unlink();
}

Result<Segment> Segment::Create(const std::string& directory, size_t bytes) {
  if (bytes == 0 || bytes > kLargest)
    return Fail(ErrorCode::kInvalidArgument, "shared memory: found {} bytes, wanted 1 to 2^46", bytes);
  Segment segment;
  segment.name_ = {directory + "/headrace-" + RandomHex(), RandomHex(), bytes};
  const std::string& path = segment.name_.path;
  segment.linked_ = !directory.empty();
  segment.file_ =
      Descriptor(segment.linked_ ? ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)
                                 : ::memfd_create("headrace", MFD_CLOEXEC));
  if (!segment.file_) {
    segment.linked_ = false;
    return Fail(ErrorCode::kUnavailable, "{}: cannot be made: {}", path, std::strerror(errno));
  }
  // Without it a full file system would show itself as a SIGBUS at the first write to a page.
  if (const int error = ::posix_fallocate(segment.file_.get(), 0, static_cast<off_t>(kHeaderBytes + bytes)); error != 0)
    return Fail(ErrorCode::kResourceExhausted, "{}: no room for {} bytes of shared memory: {}", directory, bytes,
                std::strerror(error));
  HEADRACE_TRY(segment.Map());
  std::memcpy(segment.data_ - kHeaderBytes, segment.name_.token.data(), kTokenLetters);
  return segment;
}

Result<Segment> Segment::Open(const SegmentName& name) {
  Segment segment;
  segment.name_ = name;
  segment.file_ = Descriptor(::open(name.path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!segment.file_) return Fail(ErrorCode::kNotFound, "{}: cannot be opened: {}", name.path, std::strerror(errno));
  struct stat status {};
  if (::fstat(segment.file_.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<size_t>(status.st_size) != kHeaderBytes + name.bytes)
    return Fail(ErrorCode::kNotFound, "{}: found another file, wanted one of {} bytes", name.path,
                kHeaderBytes + name.bytes);
  HEADRACE_TRY(segment.Map());
  if (std::memcmp(segment.data_ - kHeaderBytes, name.token.data(), kTokenLetters) != 0)
    return Fail(ErrorCode::kNotFound, "{}: found another file's token", name.path);
  return segment;
}

Status Segment::Map() {
  void* mapped =
      ::mmap(nullptr, kHeaderBytes + name_.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file_.get(), 0);
  if (mapped == MAP_FAILED)
    return Fail(ErrorCode::kResourceExhausted, "{}: {} bytes cannot be mapped: {}", name_.path, name_.bytes,
                std::strerror(errno));
  data_ = static_cast<std::byte*>(mapped) + kHeaderBytes;
  return {};
}

void Segment::Unlink() {
  if (std::exchange(linked_, false)) ::unlink(name_.path.c_str());
}

// Locks of open file descriptions: unlike a process's own they do not go when another descriptor of the file is closed,
// and the threads of a test, each with a description of its own, can stand for processes.
Status Segment::Mark(int index) {
  struct flock lock = MarkAt(index, F_WRLCK);
  if (::fcntl(file_.get(), F_OFD_SETLK, &lock) == 0) return {};
  return Fail(ErrorCode::kInternal, "{}: cannot lock byte {}: {}", name_.path, index, std::strerror(errno));
}

bool Segment::IsMarked(int index) const {
  struct flock lock = MarkAt(index, F_WRLCK);
  return ::fcntl(file_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void Segment::Unmark(int index) {
  struct flock lock = MarkAt(index, F_UNLCK);
  ::fcntl(file_.get(), F_OFD_SETLK, &lock);
}

}  // namespace headrace::hvd
