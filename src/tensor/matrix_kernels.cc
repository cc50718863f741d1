// Products of matrices and tables of rows, as plain parallel loops.
#include <algorithm>

#include "tensor/backend.h"
#include "tensor/batches.h"
#include "tensor/plain_loops.h"

namespace headrace::tensor {
namespace {

// Calls body(number of a row) for each of the numbers, -1 for one outside of the table.
template <typename Body>
void EachIndex(const GatherDesc& desc, const void* indices, int64_t begin, int64_t end, const Body& body) {
  for (int64_t i = begin; i < end; ++i) {
    if (desc.indices == DType::kInt64) {
      const int64_t row = static_cast<const int64_t*>(indices)[i];
      body(i, row >= 0 && row < desc.rows ? row : -1);
      continue;
    }
    const float number = desc.indices == DType::kFloat32 ? static_cast<const float*>(indices)[i]
                                                         : Load(static_cast<const uint16_t*>(indices)[i]);
    const bool inside = number >= 0 && number < static_cast<float>(desc.rows);  // not so for NaN
    body(i, inside ? static_cast<int64_t>(number) : -1);
  }
}

}  // namespace

void Backend::Gather(const GatherDesc& desc, const float* table, const void* indices, void* y) const {
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(
        desc.count,
        [&](int64_t begin, int64_t end) {
          EachIndex(desc, indices, begin, end, [&](int64_t i, int64_t row) {
            T* out = static_cast<T*>(y) + i * desc.width;
            const float* from = row < 0 ? nullptr : table + row * desc.width;
            for (int64_t k = 0; k < desc.width; ++k) out[k] = Store<T>(from == nullptr ? 0.0f : from[k]);
          });
        },
        desc.width);
  });
}

// Each thread has rows of the table of its own and looks through all numbers: the same sums on any number of threads.
void Backend::ScatterSum(const GatherDesc& desc, const void* indices, const void* dy, float* table) const {
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto sum = [&](int64_t first, int64_t last) {
      std::fill(table + first * desc.width, table + last * desc.width, 0.0f);
      EachIndex(desc, indices, 0, desc.count, [&](int64_t i, int64_t row) {
        if (row < first || row >= last) return;
        const T* from = static_cast<const T*>(dy) + i * desc.width;
        float* to = table + row * desc.width;
        for (int64_t k = 0; k < desc.width; ++k) to[k] += Load(from[k]);
      });
    };
    if ((desc.count + desc.rows) * desc.width < kGrain)
      sum(0, desc.rows);
    else
      ParallelRanges(desc.rows, [&](int64_t begin, int64_t end, int) { sum(begin, end); });
  });
}

size_t Backend::MatMulWorkspaceBytes(const MatMulDesc&) const { return 0; }

void Backend::MatMul(const MatMulDesc& desc, const void* a, const void* b, void* y, void*) const {
  const Batches batches(desc);
  const int64_t row_a = desc.transpose_a ? 1 : desc.k, column_a = desc.transpose_a ? desc.m : 1;
  const int64_t row_b = desc.transpose_b ? 1 : desc.n, column_b = desc.transpose_b ? desc.k : 1;
  WithType(desc.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Ranges(
        batches.count * desc.m,
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const T* left = static_cast<const T*>(a) + batches.a(i / desc.m) + i % desc.m * row_a;
            const T* right = static_cast<const T*>(b) + batches.b(i / desc.m);
            for (int64_t n = 0; n < desc.n; ++n) {
              double sum = 0;
              for (int64_t k = 0; k < desc.k; ++k)
                sum += static_cast<double>(Load(left[k * column_a])) * Load(right[k * row_b + n * column_b]);
              static_cast<T*>(y)[i * desc.n + n] = Store<T>(static_cast<float>(sum));
            }
          }
        },
        desc.k * desc.n);
  });
}

}  // namespace headrace::tensor
