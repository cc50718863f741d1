#include "tensor/vector_kernels.h"

#include <algorithm>

#include "tensor/parallel.h"

namespace headrace::tensor {
namespace {

const VectorKernelTable& TableOf(Isa isa) {
  switch (isa) {
#ifdef HEADRACE_HAS_avx512
    case Isa::kAvx512:
      return avx512::VectorKernelsOfIsa();
#endif
#ifdef HEADRACE_HAS_avx2
    case Isa::kAvx2:
      return avx2::VectorKernelsOfIsa();
#endif
    default:
      break;
  }
  return portable::VectorKernelsOfIsa();
}

}  // namespace

VectorKernels::VectorKernels(Isa isa) : isa_(isa), table_(TableOf(isa)) {}

double* VectorKernels::Scratch(int64_t c) const {
  const int64_t doubles = ScratchDoubles(c, NumThreads());
  if (!scratch_.defined() || scratch_.size() < 2 * doubles) scratch_ = Tensor(DType::kFloat32, {2 * doubles});
  return static_cast<double*>(scratch_.raw());
}

void VectorKernels::Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments) const {
  table_.moments(rows, c, dtype, x, moments, Scratch(c));
}

void VectorKernels::SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out) const {
  table_.sum_rows(rows, c, dtype, x, out, Scratch(c));
}

void VectorKernels::EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) const {
  table_.epilogue_forward(desc, args);
}

void VectorKernels::EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const {
  table_.epilogue_backward_sums(desc, args, Scratch(desc.c));
}

void VectorKernels::EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const {
  table_.epilogue_backward(desc, args, Scratch(desc.c));
}

void VectorKernels::ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                                      void* y) const {
  table_.activation_forward(activation, rows, c, dtype, x, y);
}

void VectorKernels::ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                                       const void* y, const void* dy, void* dx) const {
  table_.activation_backward(activation, rows, c, dtype, x, y, dy, dx);
}

void VectorKernels::MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) const {
  table_.max_pool_forward(desc, x, y);
}

void VectorKernels::MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx) const {
  table_.max_pool_backward(desc, x, dy, dx);
}

void VectorKernels::GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x,
                                             void* y) const {
  table_.global_average_pool_forward(n, hw, c, dtype, x, y);
}

void VectorKernels::GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy,
                                              void* dx) const {
  table_.global_average_pool_backward(n, hw, c, dtype, dy, dx);
}

void VectorKernels::Add(int64_t count, DType dtype, const void* a, const void* b, void* out) const {
  table_.add(count, dtype, a, b, out);
}

void VectorKernels::PadForward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left,
                               int64_t right, DType dtype, const void* x, void* y) const {
  const auto pixel = static_cast<int64_t>(SizeOf(dtype)) * c;
  const int64_t row_bytes = (left + w + right) * pixel;
  ParallelRanges(n * (top + h + bottom), [&](int64_t begin, int64_t end, int) {
    for (int64_t out = begin; out < end; ++out) {
      char* to = static_cast<char*>(y) + out * row_bytes;
      const int64_t row = out % (top + h + bottom) - top;
      if (row < 0 || row >= h) {
        std::fill_n(to, row_bytes, 0);
        continue;
      }
      const char* from = static_cast<const char*>(x) + (out / (top + h + bottom) * h + row) * w * pixel;
      std::fill_n(to, left * pixel, 0);
      std::copy_n(from, w * pixel, to + left * pixel);
      std::fill_n(to + (left + w) * pixel, right * pixel, 0);
    }
  });
}

void VectorKernels::PadBackward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left,
                                int64_t right, DType dtype, const void* dy, void* dx) const {
  const auto pixel = static_cast<int64_t>(SizeOf(dtype)) * c;
  ParallelRanges(n * h, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t padded_row = row / h * (top + h + bottom) + top + row % h;
      const char* from = static_cast<const char*>(dy) + (padded_row * (left + w + right) + left) * pixel;
      std::copy_n(from, w * pixel, static_cast<char*>(dx) + row * w * pixel);
    }
  });
}

void VectorKernels::Convert(int64_t count, DType from, const void* in, DType to, void* out) const {
  table_.convert(count, from, in, to, out);
}

void VectorKernels::Crossentropy(const CrossentropyArgs& args) const { table_.crossentropy(args); }
void VectorKernels::Update(const UpdateArgs& args) const { table_.update(args, Scratch(1)); }
double VectorKernels::SumOfSquares(int64_t count, const float* x) const {
  return table_.sum_of_squares(count, x, Scratch(1));
}

}  // namespace headrace::tensor
