#include "jobs/archive/archive_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace headrace::jobs {
namespace {

constexpr size_t kPieceBytes = size_t{64} << 10;
constexpr uint64_t kFreeBytes = uint64_t{64} << 20;  // whose ratio does not matter

}  // namespace

ArchiveSource::ArchiveSource(Descriptor file, uint64_t most, uint64_t ratio)
    : file_(std::move(file)), most_(most), ratio_(ratio), buffer_(kPieceBytes) {}

Result<std::unique_ptr<ArchiveSource>> ArchiveSource::Open(Descriptor file, uint64_t most, uint64_t ratio) {
  unsigned char magic[2] = {0, 0};
  ssize_t n = 0;
  do n = ::pread(file.get(), magic, sizeof magic, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "cannot read the archive: {}", std::strerror(errno));
  auto source = std::unique_ptr<ArchiveSource>(new ArchiveSource(std::move(file), most, ratio));
  if (n == 2 && magic[0] == 0x1f && magic[1] == 0x8b)
    source->gunzip_ = std::make_unique<Gunzip>(std::move(source->file_), "the archive");
  return source;
}

Result<std::string_view> ArchiveSource::Next() {
  size_t size = 0;
  if (gunzip_) {
    HEADRACE_ASSIGN(size, gunzip_->Read(buffer_.data(), buffer_.size()));
  } else {
    ssize_t n = 0;
    do n = ::read(file_.get(), buffer_.data(), buffer_.size());
    while (n < 0 && errno == EINTR);
    if (n < 0) return Fail(ErrorCode::kFailedPrecondition, "cannot read the archive: {}", std::strerror(errno));
    size = static_cast<size_t>(n);
  }
  produced_ += size;
  if (produced_ > most_) return Fail(ErrorCode::kResourceExhausted, "the archive unpacks to more than {} bytes", most_);
  if (gunzip_ && produced_ > kFreeBytes && produced_ / std::max<uint64_t>(consumed(), 1) > ratio_)
    return Fail(ErrorCode::kResourceExhausted, "the archive unpacks to more than {} times its size", ratio_);
  return std::string_view(buffer_.data(), size);
}

uint64_t ArchiveSource::consumed() const { return gunzip_ ? gunzip_->consumed() : produced_; }

}  // namespace headrace::jobs
