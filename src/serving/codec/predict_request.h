// Predict requests: JSON of every form that TensorFlow Serving's REST interface and SageMaker's container take, decoded
// straight into the tensors that the engine reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/buffer.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

struct PredictInputs {
  // One each of Signature::GraphInputs(), of its type; equal first dimensions above 0.
  std::vector<Tensor> tensors;
  bool row_format = true;  // answered with "predictions"; else "outputs"
  int64_t rows() const { return tensors.empty() ? 0 : tensors[0].dim(0); }
};

// A JSON body whose text simdjson may read beyond, and which ends in zeros.
class JsonBody {
 public:
  explicit JsonBody(std::string_view text) : JsonBody(Buffer(text)) {}
  explicit JsonBody(Buffer buffer) : buffer_(std::move(buffer)) { buffer_.EndText(); }
  std::string_view text() const { return buffer_.bytes(); }
  const Buffer& buffer() const { return buffer_; }

 private:
  Buffer buffer_;
};

enum class JsonForm {
  kObject,     // {"instances": …} or {"inputs": …}
  kInstances,  // the list of instances itself
  kInstance,   // one instance
  kLines,      // one instance a line
};

// The value of "signature_name", "" when there is none.
Result<std::string> SignatureName(const JsonBody& body);

// Errors are kInvalidArgument, or kResourceExhausted for tensors of more than 2^31 elements.
Result<PredictInputs> ParsePredict(const JsonBody& body, JsonForm form, const Signature& signature);

// "examples" of classify and regress: an object of features each, and "context" with those that all share. A model's
// inputs are its features; a feature's elements may stand in one list. A model of one input of strings gets each as a
// serialized tf.Example.
Result<PredictInputs> ParseExamples(const JsonBody& body, const Signature& signature);

// Which form a body of SageMaker's content types application/json, application/jsonlines and application/jsons has.
JsonForm FormOf(std::string_view body);

}  // namespace headrace::serving
