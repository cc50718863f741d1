// NumPy's .npy format, versions 1 to 3, C and Fortran order: one array in, one array out. And raw tensors: the bytes
// alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/buffer.h"
#include "serving/codec/predict_request.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

// A file of any of NumPy's floats, whole numbers (of both byte orders) and bool; its tensor is of that type, of a wider
// one (int16, uint16: int32; uint32, uint64: int64), or float32 where there is none.
// Elements that are aligned and in C order stay where they lie when `memory` is the file's.
Result<Tensor> ParseNpy(std::string_view file, const std::shared_ptr<void>& memory = nullptr);
std::string WriteNpy(const Tensor& tensor);  // not bfloat16

// As the only input of `signature`; where types and alignment allow, a view of the body's memory. An array without the
// batch dimension is one row.
Result<PredictInputs> NpyInputs(const Buffer& file, const Signature& signature);
// Little-endian elements of the input's own type, row after row.
Result<PredictInputs> RawInputs(const Buffer& body, const Signature& signature);

}  // namespace headrace::serving
