// Signatures for the tests and fuzz targets of codecs.
#pragma once

#include <string>
#include <vector>

#include "serving/codec/signature.h"

namespace headrace::serving::testing {

inline Signature SmallSignature(DType dtype = DType::kFloat32) {
  return {
      "serving_default", "tensorflow/serving/predict", {{"x", dtype, {-1, 2, 3}}}, {{"y", DType::kFloat32, {-1, 2}}}};
}
inline Signature TwoInputs() {
  return {"serving_default",
          "tensorflow/serving/predict",
          {{"a", DType::kFloat32, {-1, 2}}, {"b", DType::kInt32, {-1, 1}}},
          {{"p", DType::kFloat32, {-1, 1}}, {"q", DType::kFloat32, {-1, 2}}}};
}

// Examples of x: float32 [2], n: int64 = 7, image: uint8 [1, 3], and a note that no graph reads.
inline Signature ExamplesSignature() {
  using Source = savedmodel::DecodedTensor::Source;
  Signature signature{"serving_default",
                      "tensorflow/serving/predict",
                      {{"examples", DType::kUInt8, {-1}}},
                      {{"y", DType::kFloat32, {-1, 2}}}};
  signature.strings.strings = {true};
  signature.strings.tensors = {{0, Source::kFloats, "x", DType::kFloat32, {-1, 2}, {}},
                               {0, Source::kInt64s, "n", DType::kInt64, {-1}, std::string("\7\0\0\0\0\0\0\0", 8)},
                               {0, Source::kFeatureBytes, "image", DType::kUInt8, {-1, 1, 3}, {}}};
  signature.strings.checked = {{0, "image", 1, true}, {0, "note", 2, false}};
  return signature;
}
// Strings of four bytes each beside an ordinary input.
inline Signature RawSignature() {
  using Source = savedmodel::DecodedTensor::Source;
  Signature signature{"serving_default",
                      "tensorflow/serving/predict",
                      {{"raw", DType::kUInt8, {-1, 1}}, {"x", DType::kFloat32, {-1, 2}}},
                      {{"y", DType::kFloat32, {-1, 2}}}};
  signature.strings.strings = {true, false};
  signature.strings.tensors = {{1, Source::kTensor, "", DType::kFloat32, {-1, 2}, {}},
                               {0, Source::kStringBytes, "", DType::kInt32, {-1, 1}, {}}};
  return signature;
}

// Whether these are the tensors that the model reads, of one row or more.
inline bool AreInputsOf(const Signature& signature, const std::vector<Tensor>& tensors) {
  const auto wanted = signature.GraphInputs();
  if (tensors.size() != wanted.size() || tensors[0].dim(0) < 1) return false;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].dtype() != wanted[i].dtype || tensors[i].shape() != WithRows(wanted[i].shape, tensors[0].dim(0)))
      return false;
  return true;
}

}  // namespace headrace::serving::testing
