#include <vector>

#include <zlib.h>

#include "data/byte_source.h"

namespace headrace::data {
namespace {

constexpr size_t kInputBytes = size_t{64} << 10;

class InflateSource : public ByteSource {
 public:
  InflateSource(std::unique_ptr<ByteSource> source, std::string path, Compression compression)
      : source_(std::move(source)), path_(std::move(path)), input_(kInputBytes) {
    const int window_bits = compression == Compression::kGzip ? 15 + 16 : 15;
    if (inflateInit2(&stream_, window_bits) != Z_OK)
      throw MakeError(ErrorCode::kResourceExhausted, "{}: cannot start the decompressor", path_);
  }
  InflateSource(const InflateSource&) = delete;
  InflateSource& operator=(const InflateSource&) = delete;
  ~InflateSource() override { inflateEnd(&stream_); }

  Result<size_t> Read(char* out, size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(size, size_t{1} << 30));
    const uInt wanted = stream_.avail_out;
    while (stream_.avail_out == wanted) {
      if (stream_.avail_in == 0) {
        HEADRACE_ASSIGN(const bool more, Refill());
        if (!more && between_members_) return 0;
        if (!more)
          return Fail(ErrorCode::kDataLoss, "{}: the compressed stream is truncated after {} bytes", path_, consumed_);
      }
      HEADRACE_TRY(Step());
    }
    return wanted - stream_.avail_out;
  }

 private:
  Result<bool> Refill() {
    HEADRACE_ASSIGN(const size_t n, source_->Read(input_.data(), input_.size()));
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(n);
    consumed_ += n;
    return n > 0;
  }

  Status Step() {
    if (between_members_) {
      inflateReset(&stream_);
      between_members_ = false;
    }
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END)
      between_members_ = true;  // the end, unless another member follows
    else if (code != Z_OK && code != Z_BUF_ERROR)
      return Fail(ErrorCode::kDataLoss, "{}: the compressed stream is corrupt before byte {}: {}", path_,
                  consumed_ - stream_.avail_in, stream_.msg != nullptr ? stream_.msg : zError(code));
    return {};
  }

  std::unique_ptr<ByteSource> source_;
  std::string path_;
  std::vector<char> input_;
  z_stream stream_{};
  uint64_t consumed_ = 0;         // compressed bytes read from the source
  bool between_members_ = false;  // after one whole member: the stream may end here
};

}  // namespace

std::unique_ptr<ByteSource> Inflate(std::unique_ptr<ByteSource> source, std::string path, Compression compression) {
  return std::make_unique<InflateSource>(std::move(source), std::move(path), compression);
}

}  // namespace headrace::data
