// What codecs need to know of a model's signature.
#pragma once

#include <string>
#include <vector>

#include "headrace/savedmodel.h"
#include "headrace/tensor.h"

#include "base/result.h"
#include "savedmodel/import/string_decoding.h"

namespace headrace::serving {

using savedmodel::TensorInfo;

// The largest number of elements in one request's tensor.
inline constexpr int64_t kMaxElements = int64_t{1} << 31;

using Labels = std::vector<std::string>;

struct Signature {
  std::string name;                         // "serving_default"
  std::string method_name;                  // "tensorflow/serving/predict"
  std::vector<TensorInfo> inputs, outputs;  // inputs: what clients send; of strings uint8, [-1] or [-1, 1]
  savedmodel::StringDecoding strings = {};  // empty: the model reads the inputs as they are
  // By output: the strings that its numbers stand for, none where it is numbers. Or empty.
  std::vector<Labels> labels = {};
  const Labels* LabelsOf(size_t output) const {
    return labels.empty() || labels[output].empty() ? nullptr : &labels[output];
  }
  bool TakesStrings(size_t input) const { return !strings.empty() && strings.strings[input]; }
  // The tensors that the model reads. Names are of the inputs.
  std::vector<TensorInfo> GraphInputs() const {
    std::vector<TensorInfo> infos;
    for (const auto& tensor : strings.tensors) infos.push_back({inputs[tensor.input].name, tensor.dtype, tensor.shape});
    return strings.empty() ? inputs : infos;
  }
  // Where in GraphInputs() an input stands that is no strings.
  size_t GraphInput(size_t input) const {
    using Source = savedmodel::DecodedTensor::Source;
    size_t at = 0;
    while (at < strings.tensors.size() &&
           (strings.tensors[at].input != input || strings.tensors[at].source != Source::kTensor))
      ++at;
    return strings.empty() ? input : at;
  }
};

// Elements of one row of a tensor of shape [-1, …].
inline int64_t RowElements(const Shape& shape) {
  int64_t size = 1;
  for (size_t axis = 1; axis < shape.rank(); ++axis) size *= shape[axis];
  return size;
}

inline Shape WithRows(Shape shape, int64_t rows) {
  shape[0] = rows;
  return shape;
}

}  // namespace headrace::serving
