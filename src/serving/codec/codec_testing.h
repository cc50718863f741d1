// Signatures for the tests of codecs.
#pragma once

#include <string>

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

}  // namespace headrace::serving::testing
