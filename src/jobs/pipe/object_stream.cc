#include "jobs/pipe/object_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headrace::jobs {
namespace {

// Files up to this size are gathered into larger writes: a page of its own in the pipe costs more than a copy.
constexpr uint64_t kGatherBelow = uint64_t{16} << 10;
constexpr size_t kGatherBytes = size_t{64} << 10;
constexpr size_t kBufferBytes = size_t{256} << 10;
// A compressed object up to this size is decompressed once to know the length of its record; a larger one twice.
constexpr size_t kInflateInMemory = size_t{16} << 20;

constexpr uint32_t kRecordMagic = 0xced7230au;
constexpr uint64_t kLargestRecord = (uint64_t{1} << 29) - 1;

size_t PaddingOf(uint64_t size) { return static_cast<size_t>((4 - size % 4) % 4); }

const std::string& NameOf(const PipePart& part) { return part.name.empty() ? part.path : part.name; }

Status CheckRecordSize(const std::string& name, uint64_t size) {
  if (size <= kLargestRecord) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "{}: found an object of {} bytes, wanted at most {} to wrap it in a RecordIO record (RecordWrapperType)",
              name, size, kLargestRecord);
}

}  // namespace

ObjectStream::ObjectStream(std::shared_ptr<const PipeContent> content, std::vector<uint32_t> order)
    : content_(std::move(content)), order_(std::move(order)) {}

Result<ObjectStream::Progress> ObjectStream::WriteTo(int pipe, size_t budget) {
  while (budget > 0) {
    if (buffer_done_ == buffer_.size() && (file_left_ == 0 || !splices_)) {
      HEADRACE_ASSIGN(const bool more, Refill());
      if (!more) return Progress::kDone;
      continue;
    }
    HEADRACE_ASSIGN(const auto stop, Moved(Move(pipe, budget), budget));
    if (stop) return *stop;
  }
  return Progress::kMore;
}

// Hands bytes to the pipe: those of the buffer, else pages of the file without copying them.
ssize_t ObjectStream::Move(int pipe, size_t budget) {
  if (buffer_done_ < buffer_.size()) return ::write(pipe, buffer_.data() + buffer_done_, buffer_.size() - buffer_done_);
  return ::splice(file_.get(), &file_offset_, pipe, nullptr, std::min<uint64_t>(file_left_, budget),
                  SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

Result<std::optional<ObjectStream::Progress>> ObjectStream::Moved(ssize_t moved, size_t& budget) {
  const bool from_buffer = buffer_done_ < buffer_.size();
  if (moved > 0) {
    const auto n = static_cast<size_t>(moved);
    if (from_buffer)
      buffer_done_ += n;
    else
      file_left_ -= n;
    bytes_ += n;
    budget -= std::min(n, budget);
    return std::nullopt;
  }
  if (moved == 0) return Fail(ErrorCode::kDataLoss, "{}: the object's file ends {} bytes early", name_, file_left_);
  if (errno == EINTR) return std::nullopt;
  if (errno == EAGAIN) return Progress::kFull;
  if (errno == EPIPE) return Progress::kClosed;
  if (errno == EINVAL && !from_buffer && splices_) {
    splices_ = false;
    return std::nullopt;
  }
  return Fail(ErrorCode::kUnavailable, "{}: cannot write to the pipe: {}", name_, std::strerror(errno));
}

// Prepares more bytes once all before are in the pipe; false when there are none.
Result<bool> ObjectStream::Refill() {
  buffer_.clear();
  buffer_done_ = 0;
  if (file_left_ > 0) {
    HEADRACE_TRY(AppendFile(std::min<uint64_t>(file_left_, kBufferBytes)));
    return true;
  }
  file_.Reset();
  if (gunzip_) HEADRACE_TRY(Inflate());
  if (!gunzip_) buffer_.append(std::exchange(padding_, 0), '\0');
  while (!gunzip_ && file_left_ == 0 && buffer_.size() < kGatherBytes) {
    const size_t entry = next_ / content_->parts_per_entry;
    if (entry == order_.size()) break;
    const size_t part = size_t{order_[entry]} * content_->parts_per_entry + next_ % content_->parts_per_entry;
    HEADRACE_TRY(Open(content_->parts[part]));
    ++next_;
  }
  return !buffer_.empty() || file_left_ > 0 || gunzip_ != nullptr;
}

Status ObjectStream::Open(const PipePart& part) {
  name_ = NameOf(part);
  if (part.path.empty()) {
    if (content_->record_io) {
      HEADRACE_TRY(CheckRecordSize(name_, part.literal.size()));
      AppendRecordHeader(part.literal.size());
    }
    buffer_.append(part.literal);
    if (content_->record_io) buffer_.append(PaddingOf(part.literal.size()), '\0');
    return {};
  }
  Descriptor file(::open(part.path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0)
    return Fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable, "{}: cannot open the object: {}",
                name_, std::strerror(errno));
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  if (content_->gunzip) return OpenCompressed(part, std::move(file));

  const auto size = static_cast<uint64_t>(status.st_size);
  if (content_->record_io) {
    HEADRACE_TRY(CheckRecordSize(name_, size));
    AppendRecordHeader(size);
    padding_ = PaddingOf(size);
  }
  file_ = std::move(file);
  file_offset_ = 0;
  file_left_ = size;
  if (size > kGatherBelow && splices_) return {};
  HEADRACE_TRY(AppendFile(std::min<uint64_t>(size, kBufferBytes)));
  if (file_left_ > 0) return {};
  buffer_.append(std::exchange(padding_, 0), '\0');
  file_.Reset();
  return {};
}

// Appends the next `size` bytes of the file to the buffer.
Status ObjectStream::AppendFile(size_t size) {
  const size_t before = buffer_.size();
  buffer_.resize(before + size);
  for (size_t done = 0; done < size;) {
    const ssize_t n = ::pread(file_.get(), &buffer_[before + done], size - done, file_offset_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kUnavailable, "{}: cannot read the object: {}", name_, std::strerror(errno));
    if (n == 0) return Fail(ErrorCode::kDataLoss, "{}: the object's file ends {} bytes early", name_, file_left_);
    done += static_cast<size_t>(n);
    file_offset_ += n;
    file_left_ -= static_cast<uint64_t>(n);
  }
  return {};
}

Status ObjectStream::OpenCompressed(const PipePart& part, Descriptor file) {
  if (content_->record_io) {
    // The length stands in front of the record and is only known at the end.
    Gunzip measure(std::move(file), name_);
    std::string content;
    std::vector<char> rest;
    uint64_t size = 0;
    while (true) {
      const bool keep = size < kInflateInMemory;
      if (keep) content.resize(std::min(kInflateInMemory, std::max(kBufferBytes, 2 * content.size())));
      if (!keep) rest.resize(kBufferBytes);
      HEADRACE_ASSIGN(const size_t n, keep ? measure.Read(&content[size], content.size() - size)
                                           : measure.Read(rest.data(), rest.size()));
      size += n;
      if (n == 0) break;
    }
    HEADRACE_TRY(CheckRecordSize(name_, size));
    AppendRecordHeader(size);
    padding_ = PaddingOf(size);
    if (size < kInflateInMemory) {
      buffer_.append(content, 0, size);
      buffer_.append(std::exchange(padding_, 0), '\0');
      return {};
    }
    file = Descriptor(::open(part.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return Fail(ErrorCode::kUnavailable, "{}: cannot open the object: {}", name_, std::strerror(errno));
  }
  gunzip_ = std::make_unique<Gunzip>(std::move(file), name_, "CompressionType is Gzip");
  return {};
}

// Puts decompressed bytes into the (empty) buffer, or ends the object.
Status ObjectStream::Inflate() {
  buffer_.resize(kBufferBytes);
  auto n = gunzip_->Read(buffer_.data(), buffer_.size());
  buffer_.resize(n ? *n : 0);
  if (!n) return tl::unexpected<Error>(std::move(n.error()));
  if (*n == 0) gunzip_.reset();
  return {};
}

// One record a part, never cut at magic numbers inside: every reader of this stream goes by the length, and those of
// the Python SDK and of TensorFlow's extension do not put a cut-out magic number back.
void ObjectStream::AppendRecordHeader(uint64_t size) {
  const std::array<uint32_t, 2> header{kRecordMagic, static_cast<uint32_t>(size)};
  buffer_.append(reinterpret_cast<const char*>(header.data()), sizeof header);
}

}  // namespace headrace::jobs
