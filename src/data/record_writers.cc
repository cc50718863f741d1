#include "data/record_sink.h"
#include "data/recordio_format.h"
#include "data/tfrecord_format.h"

namespace headrace::data {
namespace {

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

Status WriteTFRecord(RecordSink& sink, std::string_view record) {
  const uint64_t length = record.size();
  HEADRACE_TRY(sink.Append(BytesOf(length)));
  HEADRACE_TRY(sink.Append(BytesOf(tfrecord::MaskedCrc(BytesOf(length)))));
  HEADRACE_TRY(sink.Append(record));
  return sink.Append(BytesOf(tfrecord::MaskedCrc(record)));
}

Status WritePart(RecordSink& sink, recordio::Flag flag, std::string_view data) {
  const uint32_t word = (uint32_t{flag} << 29) | static_cast<uint32_t>(data.size());
  HEADRACE_TRY(sink.Append(BytesOf(recordio::kMagic)));
  HEADRACE_TRY(sink.Append(BytesOf(word)));
  HEADRACE_TRY(sink.Append(data));
  return sink.Append(std::string_view("\0\0\0", recordio::Padded(data.size()) - data.size()));
}

// The next magic number at a multiple of four bytes from `from` (itself one), or npos.
size_t FindMagic(std::string_view record, size_t from) {
  for (size_t i = from; i + 4 <= record.size(); i += 4)
    if (tfrecord::Load<uint32_t>(record.data() + i) == recordio::kMagic) return i;
  return std::string_view::npos;
}

Status WriteRecordIO(RecordSink& sink, std::string_view record) {
  if (record.size() > recordio::kLengthMask)
    return Fail(ErrorCode::kInvalidArgument, "{}: found a record of {} bytes, wanted at most {}", sink.path(),
                record.size(), recordio::kLengthMask);
  size_t begin = 0, end = FindMagic(record, 0);
  while (end != std::string_view::npos) {
    HEADRACE_TRY(WritePart(sink, begin == 0 ? recordio::kFirst : recordio::kMiddle, record.substr(begin, end - begin)));
    begin = end + sizeof recordio::kMagic;
    end = FindMagic(record, begin);
  }
  return WritePart(sink, begin == 0 ? recordio::kWhole : recordio::kLast, record.substr(begin));
}

}  // namespace

struct TFRecordWriter::Impl {
  std::unique_ptr<RecordSink> sink;
};

TFRecordWriter::TFRecordWriter(const std::string& path, WriterOptions options)
    : impl_(std::make_unique<Impl>(Impl{ValueOrThrow(RecordSink::Create(path, options))})) {}
TFRecordWriter::TFRecordWriter(TFRecordWriter&&) noexcept = default;
TFRecordWriter& TFRecordWriter::operator=(TFRecordWriter&&) noexcept = default;
TFRecordWriter::~TFRecordWriter() = default;
void TFRecordWriter::Write(std::string_view record) { ValueOrThrow(WriteTFRecord(*impl_->sink, record)); }
void TFRecordWriter::Close() { ValueOrThrow(impl_->sink->Close()); }

struct RecordIOWriter::Impl {
  std::unique_ptr<RecordSink> sink;
};

RecordIOWriter::RecordIOWriter(const std::string& path, WriterOptions options)
    : impl_(std::make_unique<Impl>(Impl{ValueOrThrow(RecordSink::Create(path, options))})) {}
RecordIOWriter::RecordIOWriter(RecordIOWriter&&) noexcept = default;
RecordIOWriter& RecordIOWriter::operator=(RecordIOWriter&&) noexcept = default;
RecordIOWriter::~RecordIOWriter() = default;
void RecordIOWriter::Write(std::string_view record) { ValueOrThrow(WriteRecordIO(*impl_->sink, record)); }
void RecordIOWriter::Close() { ValueOrThrow(impl_->sink->Close()); }

}  // namespace headrace::data
