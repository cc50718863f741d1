// Mean and variance of each channel, and plain sums over rows.
#include "tensor/isa/kernels.h"
#include "tensor/isa/prefetch.h"
#include "tensor/isa/reduction.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// Adds x - first and its square over a strip of `rows` rows to the block's sums. `first` is the block's first row:
// close to the mean compared with the spread, so that squares do not cancel even where the mean is a thousand spreads
// away.
template <typename T>
void AddShifted(int64_t rows, int64_t c, const T* first, const T* x, PartialSums& sums) {
  ForEachVector(c, [&](int64_t i, auto lanes) {
    const F32 shift = Load(first + i, lanes);
    F32 sum{}, squares{};
    for (int64_t row = 0; row < rows; ++row) {
      PrefetchAhead(x + row * c + i);
      const F32 d = Load(x + row * c + i, lanes) - shift;
      sum += d;
      squares = MulAdd(d, d, squares);
    }
    sums.AddToBlock(i, sum, squares, lanes);
  });
}

template <typename T>
void AddPlain(int64_t rows, int64_t c, const T* x, PartialSums& sums) {
  ForEachVector(c, [&](int64_t i, auto lanes) {
    F32 sum{};
    for (int64_t row = 0; row < rows; ++row) {
      PrefetchAhead(x + row * c + i);
      sum += Load(x + row * c + i, lanes);
    }
    sums.AddToBlock(i, sum, F32{}, lanes);
  });
}

float First(const float* x) { return *x; }
float First(const uint16_t* x) { return __builtin_bit_cast(float, static_cast<uint32_t>(*x) << 16); }

// Undoes the shift in double: sum x = sum d + n k, sum x^2 = sum d^2 + 2 k sum d + n k^2.
template <typename T>
void MergeShifted(int64_t rows, int64_t c, const T* first, PartialSums& sums) {
  const double n = static_cast<double>(rows);
  for (int64_t i = 0; i < c; ++i) {
    const double k = First(first + i);
    const double sum = sums.block()[i];
    sums.totals()[i] += sum + n * k;
    sums.totals2()[i] += sums.block2()[i] + k * (2 * sum + n * k);
  }
  sums.ClearBlock();
}

int64_t Least(int64_t a, int64_t b) { return a < b ? a : b; }

// Calls block(rows, first row of the block, sums) for blocks of kBlockRows rows on all threads.
template <typename T, typename Block>
void ReduceBlocks(int64_t rows, int64_t c, const T* x, double* scratch, const Block& block) {
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  ClearAll(scratch, c, NumThreads());
  ParallelRanges(blocks, [&](int64_t begin, int64_t end, int thread) {
    PartialSums sums(scratch, c, thread);
    for (int64_t b = begin; b < end; ++b) {
      block(Least(kBlockRows, rows - b * kBlockRows), x + b * kBlockRows * c, sums);
    }
  });
}

template <typename T>
void MomentsAs(int64_t rows, int64_t c, const T* x, const ChannelMoments& moments, double* scratch) {
  ReduceBlocks(rows, c, x, scratch, [&](int64_t count, const T* block, PartialSums& sums) {
    for (int64_t row = 0; row < count; row += kStripRows) {
      AddShifted(Least(kStripRows, count - row), c, block, block + row * c, sums);
    }
    MergeShifted(count, c, block, sums);
  });
  const double n = static_cast<double>(rows);
  for (int64_t i = 0; i < c; ++i) {
    const ChannelTotals total = TotalsOf(scratch, c, NumThreads(), i);
    const double mean = total.sum / n;
    const double variance = total.sum2 / n - mean * mean;
    moments.mean[i] = static_cast<float>(mean);
    moments.variance[i] = variance < 0 ? 0 : static_cast<float>(variance);
  }
}

template <typename T>
void SumRowsAs(int64_t rows, int64_t c, const T* x, float* out, double* scratch) {
  ReduceBlocks(rows, c, x, scratch, [&](int64_t count, const T* block, PartialSums& sums) {
    for (int64_t row = 0; row < count; row += kStripRows) {
      AddPlain(Least(kStripRows, count - row), c, block + row * c, sums);
    }
    sums.Merge();
  });
  for (int64_t i = 0; i < c; ++i) out[i] = static_cast<float>(TotalsOf(scratch, c, NumThreads(), i).sum);
}

}  // namespace

void Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments, double* scratch) {
  WithType(dtype,
           [&](auto element) { MomentsAs(rows, c, static_cast<const decltype(element)*>(x), moments, scratch); });
}

void SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out, double* scratch) {
  WithType(dtype, [&](auto element) { SumRowsAs(rows, c, static_cast<const decltype(element)*>(x), out, scratch); });
}

}  // namespace headrace::tensor::HEADRACE_ISA
