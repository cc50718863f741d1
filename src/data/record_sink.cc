#include "data/record_sink.h"

#include <zlib.h>

namespace headrace::data {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;

}  // namespace

// One gzip or zlib stream.
class Deflater {
 public:
  static Result<std::unique_ptr<Deflater>> Start(const WriterOptions& options) {
    auto deflater = std::make_unique<Deflater>();
    const int window_bits = options.compression == Compression::kGzip ? 15 + 16 : 15;
    constexpr int kMemoryLevel = 8;
    if (deflateInit2(&deflater->stream_, options.level, Z_DEFLATED, window_bits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      return Fail(ErrorCode::kInvalidArgument, "compression level: found {}, wanted -1 to 9", options.level);
    return deflater;
  }
  Deflater() = default;
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  // Compresses `in` and writes what comes out; `last` ends the stream.
  Status Write(std::string_view in, bool last, AtomicFile& out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    char chunk[1 << 16];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(chunk);
      stream_.avail_out = sizeof chunk;
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      HEADRACE_TRY(out.Write({chunk, sizeof chunk - stream_.avail_out}));
    } while (stream_.avail_out == 0);
    return {};
  }

 private:
  z_stream stream_{};
};

Result<std::unique_ptr<RecordSink>> RecordSink::Create(const std::string& path, const WriterOptions& options) {
  if (options.compression == Compression::kAuto)
    return Fail(ErrorCode::kInvalidArgument, "{}: compression to write: found kAuto, wanted kNone, kGzip or kZlib",
                path);
  std::unique_ptr<Deflater> deflater;
  if (options.compression != Compression::kNone) {
    HEADRACE_ASSIGN(deflater, Deflater::Start(options));
  }
  HEADRACE_ASSIGN(auto file, AtomicFile::Create(path));
  return std::unique_ptr<RecordSink>(new RecordSink(path, std::move(file), std::move(deflater)));
}

RecordSink::RecordSink(std::string path, AtomicFile file, std::unique_ptr<Deflater> deflater)
    : path_(std::move(path)), file_(std::move(file)), deflater_(std::move(deflater)) {
  buffer_.reserve(kBufferBytes);
}

RecordSink::~RecordSink() = default;

Status RecordSink::Append(std::string_view bytes) {
  if (closed_) return Fail(ErrorCode::kFailedPrecondition, "{}: written to after Close()", path_);
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kBufferBytes - buffer_.size());
    buffer_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    if (buffer_.size() == kBufferBytes) HEADRACE_TRY(Flush());
  }
  return {};
}

Status RecordSink::Flush() {
  if (deflater_)
    HEADRACE_TRY(deflater_->Write(buffer_, false, file_));
  else
    HEADRACE_TRY(file_.Write(buffer_));
  buffer_.clear();
  return {};
}

Status RecordSink::Close() {
  if (closed_) return {};
  HEADRACE_TRY(Flush());
  if (deflater_) HEADRACE_TRY(deflater_->Write({}, true, file_));
  HEADRACE_TRY(file_.Commit());
  closed_ = true;
  return {};
}

}  // namespace headrace::data
