// NumPy's .npy format, versions 1 to 3, C order: one array in, one array out. And raw tensors: the bytes alone.
#pragma once

#include <string>
#include <string_view>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/predict_request.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

// A file of float32, float64, uint8, int8, int32, int64 or bool; its tensor is of that
// type, or float32 where there is none.
Result<Tensor> ParseNpy(std::string_view file);
std::string WriteNpy(const Tensor& tensor);  // not bfloat16

// As the only input of `signature`. An array without the batch dimension is one row.
Result<PredictInputs> NpyInputs(std::string_view file, const Signature& signature);
// Little-endian elements of the input's own type, row after row.
Result<PredictInputs> RawInputs(std::string_view bytes, const Signature& signature);

}  // namespace headrace::serving
