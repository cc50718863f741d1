#include "data/pipe/any_records.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/byte_source.h"
#include "data/recordio_format.h"
#include "data/tfrecord_format.h"

namespace headrace::data {
namespace {

// Looks at the first bytes and hands them out all the same.
class PeekSource : public ByteSource {
 public:
  explicit PeekSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  Result<std::string_view> Peek(size_t wanted) {
    first_.resize(wanted);
    size_t have = 0;
    while (have < wanted) {
      HEADRACE_ASSIGN(const size_t n, source_->Read(&first_[have], wanted - have));
      if (n == 0) break;
      have += n;
    }
    first_.resize(have);
    return first_;
  }

  Result<size_t> Read(char* out, size_t size) override {
    if (done_ == first_.size()) return source_->Read(out, size);
    const size_t n = first_.copy(out, size, done_);
    done_ += n;
    return n;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::string first_;
  size_t done_ = 0;
};

std::string FormatOf(std::string_view first) {
  if (first.size() >= 4 && tfrecord::Load<uint32_t>(first.data()) == recordio::kMagic) return "RecordIO";
  if (first.size() >= tfrecord::kHeaderBytes && tfrecord::IsHeader(first.data())) return "TFRecord";
  return "TextLine";
}

}  // namespace

Result<AnyRecords> OpenAnyRecords(const std::string& path, const std::string& format, const ReaderOptions& options) {
  const LooksPlain looks_plain = [](std::string_view first) { return FormatOf(first) != "TextLine"; };
  HEADRACE_ASSIGN(auto source, OpenBytes(path, options.compression, looks_plain));
  auto peek = std::make_unique<PeekSource>(std::move(source));
  HEADRACE_ASSIGN(const auto first, peek->Peek(tfrecord::kHeaderBytes));
  AnyRecords records{format.empty() ? FormatOf(first) : format, nullptr};
  if (records.format == "TFRecord") records.stream = ReadTFRecords(std::move(peek), path, options);
  if (records.format == "RecordIO") records.stream = ReadRecordIO(std::move(peek), path, options);
  if (records.format == "TextLine") records.stream = ReadTextLines(std::move(peek), path, options);
  if (!records.stream)
    return Fail(ErrorCode::kInvalidArgument, "format: found \"{}\", wanted TFRecord, RecordIO or TextLine", format);
  return records;
}

}  // namespace headrace::data
