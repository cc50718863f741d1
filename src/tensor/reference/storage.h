// Element access for the reference kernels: everything is read as double and rounded once when it is stored.
#pragma once

#include <cstdint>

#include "headrace/tensor.h"

#include "tensor/bfloat16.h"

namespace headrace::tensor::reference {

// Element `index` of an array of float32, bfloat16 or uint8.
inline double Read(const void* data, DType dtype, int64_t index) {
  switch (dtype) {
    case DType::kBFloat16:
      return FloatFromBFloat16(static_cast<const uint16_t*>(data)[index]);
    case DType::kUInt8:
      return static_cast<const uint8_t*>(data)[index];
    default:
      return static_cast<const float*>(data)[index];
  }
}

// Stores `value` as float32 or bfloat16.
inline void Write(void* data, DType dtype, int64_t index, double value) {
  const float rounded = static_cast<float>(value);
  if (dtype == DType::kBFloat16) {
    static_cast<uint16_t*>(data)[index] = BFloat16FromFloat(rounded);
  } else {
    static_cast<float*>(data)[index] = rounded;
  }
}

// What `value` becomes when it is stored as `dtype` and read again. Matrix operations round their operands so:
// in bfloat16 the kernel and a transformed input are bfloat16 too, as in Keras's mixed policy.
inline double Stored(DType dtype, double value) {
  const float rounded = static_cast<float>(value);
  return dtype == DType::kBFloat16 ? FloatFromBFloat16(BFloat16FromFloat(rounded)) : rounded;
}

}  // namespace headrace::tensor::reference
