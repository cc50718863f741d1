// The sizes by which kernels cut their work.
#pragma once

#include <cstdint>

namespace headrace::tensor {

inline constexpr int64_t kFloatsOfLine = 16;  // of a cache line
inline constexpr int64_t kSmallBatch = 8;  // up to so many rows, kernels that read the weights where they lie are tried

inline int64_t RoundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace headrace::tensor
