// TensorFlow Serving's protocol buffer requests to the tensors that the engine reads, and its outputs back.
#pragma once

#include <cstddef>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/predict_request.h"
#include "serving/codec/signature.h"
#include "serving/proto/inference.pb.h"

namespace headrace::serving {

namespace tfs = ::tensorflow::serving;

// The tensors of a predict request. A short message can describe a large tensor: above max_bytes it is refused.
Result<PredictInputs> ProtoInputs(const tfs::PredictRequest& request, const Signature& signature, size_t max_bytes);
// tf.Examples of classify and regress. A model's inputs are its features; each has a row's elements. Or a model has one
// input of strings, which are the Examples, serialized.
Result<PredictInputs> ExampleInputs(const tfs::Input& input, const Signature& signature);

// The outputs that `filter` names, all without one.
Status SetOutputs(const Signature& signature, const std::vector<Tensor>& outputs, tfs::PredictResponse& response,
                  const std::vector<std::string>& filter);
// Scores, and labels where the signature has them, else "". Errors are ClassifyOutput's and ClassesOutput's.
Status SetClassifications(const Signature& signature, const std::vector<Tensor>& outputs,
                          tfs::ClassificationResult& result);
void SetRegressions(const Tensor& values, tfs::RegressionResult& result);  // [n] or [n, 1]

}  // namespace headrace::serving
