// Strings of requests, decoded into the tensors that the engine reads: features of serialized tf.Examples, raw bytes.
#pragma once

#include <string_view>
#include <vector>

#include "headrace/data.h"
#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/row_buffer.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

// One input's rows.
class StringDecoder {
 public:
  // Of an input of strings. The signature outlives the decoder. max_bytes: of a request's strings, and of its tensors:
  // a feature's default costs a client nothing to leave out, so the bytes it sends are no bound.
  StringDecoder(const Signature& signature, size_t input, size_t max_bytes = size_t{1} << 30);

  int64_t rows() const { return rows_; }
  // Decodes the next row. kInvalidArgument names row and feature; kResourceExhausted above max_bytes. After an
  // error only the destructor.
  Status Add(std::string_view bytes);
  // Puts the tensors where GraphInputs() has them.
  void Finish(std::vector<Tensor>& tensors);

 private:
  struct Target {
    size_t index;  // in GraphInputs()
    const savedmodel::DecodedTensor* tensor;
    RowBuffer rows;
  };
  Status Decode(std::string_view bytes);
  Status CheckFeatures(const data::ExampleView& example) const;
  Status AddFeature(const data::ExampleView& example, Target& target);

  const Signature& signature_;
  size_t input_, max_bytes_;
  bool examples_ = false;  // whether its strings are tf.Examples
  size_t row_bytes_ = 0;   // of all targets
  int64_t rows_ = 0;
  size_t bytes_ = 0;  // of the strings
  std::vector<Target> targets_;
};

}  // namespace headrace::serving
