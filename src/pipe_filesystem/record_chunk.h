// RecordChunk: some records as the bytes of one serialized tensor of strings, which tf.io.parse_tensor takes apart:
// TensorFlow then has no work that grows with the number of records but to copy them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/record_stream.h"

namespace headrace::pipe_filesystem {

class RecordChunk {
 public:
  // The next records, without waiting for more than the first of them and its neighbours in the same bytes.
  // nullopt at the end. An error comes behind the records before it: `error` keeps it from one call to the next.
  static Result<std::optional<RecordChunk>> Next(data::RecordStream& records, std::optional<Error>& error);

  uint64_t size() const { return size_; }  // of the serialized tensor
  // Copies its bytes [offset, offset + size) and returns how many there are.
  size_t Read(uint64_t offset, char* out, size_t size) const;

 private:
  void Add(std::string_view record, std::shared_ptr<void> owner);
  void Seal();

  std::vector<std::string_view> pieces_;       // what comes before the records; the records
  std::vector<std::shared_ptr<void>> owners_;  // of the records' bytes
  std::unique_ptr<std::string> head_;          // pieces_[0]
  uint64_t size_ = 0;
};

}  // namespace headrace::pipe_filesystem
