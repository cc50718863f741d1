// FramedRecords: records of any format as the bytes of a TFRecord file, which TensorFlow's own reader takes apart
// again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "data/record_stream.h"
#include "data/tfrecord_format.h"

namespace headrace::pipe_filesystem {

class FramedRecords {
 public:
  explicit FramedRecords(std::unique_ptr<data::RecordStream> records) : records_(std::move(records)) {}

  // Copies the bytes [offset, offset + size) of the file to `out` and returns how many there are; fewer than asked for
  // at the end of the file. The file is read from front to back: what lies before `offset` is passed over, and an
  // `offset` before the end of the last call is kFailedPrecondition. After an error there is nothing more to read.
  Result<size_t> Read(uint64_t offset, char* out, size_t size);

 private:
  // Takes up to `size` bytes, into `out` unless that is null.
  Result<uint64_t> Take(char* out, uint64_t size);
  Result<bool> NextFrame();

  std::unique_ptr<data::RecordStream> records_;
  uint64_t position_ = 0;
  char header_[data::tfrecord::kHeaderBytes] = {};
  char footer_[data::tfrecord::kFooterBytes] = {};
  // What is left of the frame: header, data, footer.
  std::array<std::string_view, 3> frame_;
  size_t piece_ = 3;
};

}  // namespace headrace::pipe_filesystem
