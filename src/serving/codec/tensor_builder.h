// One input's elements as JSON brings them.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/row_buffer.h"
#include "serving/codec/signature.h"
#include "serving/codec/string_decoder.h"

namespace headrace::serving {

// Its rows are as long as the signature says; strings are decoded at once. The signature outlives it. Values are of a
// document whose text ends in zeros, as JsonBody's does. Errors are kInvalidArgument, or kResourceExhausted.
class TensorBuilder {
 public:
  TensorBuilder(const Signature& signature, size_t input);

  int64_t rows() const { return strings_ ? strings_->rows() : buffer_.rows(); }
  const TensorInfo& info() const { return info_; }
  bool takes_strings() const { return strings_.has_value(); }

  // One row: nested lists of the signature's dimensions. A dimension of 1 at the end may be left out.
  Status Row(simdjson::ondemand::value value);
  // A feature of an example: a row, or its elements in one list as tf.Example has them.
  Status Feature(simdjson::ondemand::value value);
  // The only row of `other`, a builder of the same input.
  Status CopyOf(const TensorBuilder& other);
  // One row as raw bytes in base64.
  Status RowOfBase64(std::string_view base64);
  // One row as raw bytes, or as a string.
  Status RowOfBytes(std::string_view bytes);

  // Puts the tensors where the model reads them.
  void Finish(std::vector<Tensor>& tensors);

 private:
  // Room for one more row, whose elements come next.
  Status AddRow();
  // A string, its bytes in base64, or, where rows have a dimension of 1 (rank 2), a list of one.
  Status StringRow(simdjson::ondemand::value value, size_t rank);
  // Whether the row at `text` could be read without the parser, which then skips it.
  bool IsQuick(const char* text);
  // What stands at one of the row's dimensions: lists of lists, a list of `wanted` numbers, a number.
  Status Level(simdjson::ondemand::value value, size_t axis);
  Status Lists(simdjson::ondemand::array list, size_t axis);
  Status Elements(simdjson::ondemand::array list, int64_t wanted, size_t axis);
  Status Number(simdjson::ondemand::value value);
  template <typename T>
  void Put(T element) {
    std::memcpy(next_, &element, sizeof element);
    next_ += sizeof element;
  }

  Status FailSize(size_t axis, int64_t wanted, int64_t found, bool more) const;
  Status FailType(simdjson::ondemand::value& value) const;

  const TensorInfo& info_;
  size_t place_;  // among the tensors that the model reads
  RowBuffer buffer_;
  char* next_ = nullptr;  // the element to come
  std::optional<StringDecoder> strings_;
};

}  // namespace headrace::serving
