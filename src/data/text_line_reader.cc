#include <cstring>

#include "data/record_stream.h"

namespace headrace::data {
namespace {

class TextLineStream : public RecordStream {
 public:
  TextLineStream(std::unique_ptr<ByteSource> source, std::string name, const ReaderOptions& options)
      : name_(std::move(name)),
        buffer_(std::move(source), options.buffer_bytes),
        max_record_bytes_(std::min(options.max_record_bytes, kLargestLimit)),
        stats_(options.stats) {}

  Result<std::optional<std::string_view>> Next() override {
    buffer_.Consume(std::exchange(handed_out_, 0));
    position_ = {next_index_, buffer_.offset()};
    HEADRACE_ASSIGN(const bool any, buffer_.Need(1));
    if (!any) return std::nullopt;
    HEADRACE_ASSIGN(size_t length, FindEnd());
    ++next_index_;
    stats_.Record();
    if (length > 0 && handed_out_ > length && buffer_.data()[length - 1] == '\r') --length;
    return std::string_view(buffer_.data(), length);
  }

  Result<int64_t> Skip(int64_t count) override {
    for (int64_t skipped = 0; skipped < count; ++skipped) {
      HEADRACE_ASSIGN(const auto line, Next());
      if (!line) return skipped;
    }
    return count;
  }

  std::shared_ptr<void> owner() override { return buffer_.owner(); }
  bool HasMore() const override { return buffer_.available() > handed_out_; }
  RecordPosition position() const override { return position_; }

 private:
  // The bytes before the newline; the last line may lack one.
  Result<size_t> FindEnd() {
    size_t searched = 0;
    while (true) {
      const size_t have = buffer_.available();
      if (const void* end = std::memchr(buffer_.data() + searched, '\n', have - searched)) {
        const auto length = static_cast<size_t>(static_cast<const char*>(end) - buffer_.data());
        handed_out_ = length + 1;
        return length;
      }
      if (have > max_record_bytes_)
        return Fail(ErrorCode::kResourceExhausted, "{}: line {} at byte {} exceeds the limit of {} bytes", name_,
                    position_.index + 1, position_.offset, max_record_bytes_);
      searched = have;
      HEADRACE_ASSIGN(const bool more, buffer_.Need(have + 1));
      if (!more) {
        handed_out_ = have;
        return have;
      }
    }
  }

  std::string name_;
  ReadBuffer buffer_;
  size_t max_record_bytes_;
  StatsCounter stats_;
  RecordPosition position_;
  uint64_t next_index_ = 0;
  size_t handed_out_ = 0;
};

}  // namespace

std::unique_ptr<RecordStream> ReadTextLines(std::unique_ptr<ByteSource> source, std::string name,
                                            const ReaderOptions& options) {
  return std::make_unique<TextLineStream>(std::move(source), std::move(name), options);
}

Result<std::unique_ptr<RecordStream>> OpenTextLine(const std::string& path, const ReaderOptions& options,
                                                   StopFlag stop) {
  HEADRACE_ASSIGN(auto source, OpenBytes(path, options.compression, nullptr, std::move(stop)));
  return ReadTextLines(std::move(source), path, options);
}

}  // namespace headrace::data
