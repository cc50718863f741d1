// Records of a stream whose format nobody has named: for tools that look into files and FIFOs.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "data/record_stream.h"

namespace headrace::data {

struct AnyRecords {
  std::string format;  // "TFRecord", "RecordIO" or "TextLine"
  std::unique_ptr<RecordStream> stream;
};

// Opens a file or FIFO (waiting for its writer), decompressing what is gzip or zlib. An empty `format` is found out
// from the first bytes; what is neither TFRecord nor RecordIO is text.
Result<AnyRecords> OpenAnyRecords(const std::string& path, const std::string& format, const ReaderOptions& options);

}  // namespace headrace::data
