// TicketFile: a stream of short records as the bytes of a TFRecord file, for TensorFlow's own reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "data/record_stream.h"

namespace headrace::pipe_filesystem {

class TicketFile {
 public:
  explicit TicketFile(std::unique_ptr<data::RecordStream> records) : records_(std::move(records)) {}

  // Copies the bytes [offset, offset + size) of the file to `out` and returns how many: 0 at the end of the file. The
  // reader asks for a record's header and then for the rest of it; whatever else is asked for is what it does to find a
  // place in the middle of a file, and is kFailedPrecondition: the next epoch has its records in other chunks.
  Result<size_t> Read(uint64_t offset, char* out, size_t size);

 private:
  Result<bool> NextFrame();

  std::unique_ptr<data::RecordStream> records_;
  uint64_t position_ = 0;
  std::string header_, rest_;  // of the record in work, as far as they have not been read
};

}  // namespace headrace::pipe_filesystem
