#include "jobs/pipe/gunzip.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <unistd.h>
#include <zlib.h>

namespace headrace::jobs {
namespace {

constexpr size_t kInputBytes = size_t{128} << 10;
constexpr int kGzipWindow = 15 + 16;  // the largest window, and gzip's header

}  // namespace

struct Gunzip::State {
  z_stream stream{};
};

Gunzip::Gunzip(Descriptor file, std::string name, std::string why)
    : state_(std::make_unique<State>()),
      file_(std::move(file)),
      name_(std::move(name)),
      why_(why.empty() ? "" : " (" + why + ")"),
      input_(kInputBytes) {
  if (inflateInit2(&state_->stream, kGzipWindow) != Z_OK) throw std::bad_alloc();
}

Gunzip::~Gunzip() { inflateEnd(&state_->stream); }

Result<size_t> Gunzip::Read(char* out, size_t size) {
  z_stream& stream = state_->stream;
  stream.next_out = reinterpret_cast<Bytef*>(out);
  stream.avail_out = static_cast<uInt>(std::min<size_t>(size, size_t{1} << 30));
  const uInt wanted = stream.avail_out;
  while (stream.avail_out == wanted) {
    if (stream.avail_in == 0) {
      HEADRACE_ASSIGN(const bool more, Refill());
      if (!more && between_members_) return 0;
      if (!more) return Fail(ErrorCode::kDataLoss, "{}: the gzip stream is truncated after {} bytes", name_, consumed_);
    }
    HEADRACE_TRY(Step());
  }
  return wanted - stream.avail_out;
}

Result<bool> Gunzip::Refill() {
  ssize_t n = 0;
  do n = ::read(file_.get(), input_.data(), input_.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) return Fail(ErrorCode::kUnavailable, "{}: cannot read: {}", name_, std::strerror(errno));
  state_->stream.next_in = reinterpret_cast<Bytef*>(input_.data());
  state_->stream.avail_in = static_cast<uInt>(n);
  consumed_ += static_cast<uint64_t>(n);
  return n > 0;
}

Status Gunzip::Step() {
  z_stream& stream = state_->stream;
  if (between_members_) {
    inflateReset(&stream);
    between_members_ = false;
  }
  const int code = inflate(&stream, Z_NO_FLUSH);
  if (code == Z_STREAM_END)
    between_members_ = true;
  else if (code != Z_OK && code != Z_BUF_ERROR)
    return Fail(ErrorCode::kDataLoss, "{}: found no valid gzip data before byte {}{}: {}", name_,
                consumed_ - stream.avail_in, why_, stream.msg != nullptr ? stream.msg : zError(code));
  return {};
}

}  // namespace headrace::jobs
