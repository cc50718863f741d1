// VectorKernels: every kernel of tensor/backend.h that is no matrix operation, in vectors of one instruction set. A
// back end owns one and forwards to it; names, arguments and contracts are those of Backend.
#pragma once

#include <cstdint>
#include <memory>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/vector_kernel_table.h"

namespace headrace::tensor {

class VectorKernels {
 public:
  // `isa` must run on this processor: DetectIsa(), or one of RunnableIsas().
  explicit VectorKernels(Isa isa);

  Isa isa() const { return isa_; }

  // Kernels that reduce over rows keep partial sums in scratch memory of this object, which grows when a wider array
  // or more threads than ever before come along: with the first step of a plan, and never after it.
  void Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments) const;
  void SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out) const;
  // h >= pool_h and w >= pool_w.
  void EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) const;
  void EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const;
  void EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const;

  void ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, void* y) const;
  void ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, const void* y,
                          const void* dy, void* dx) const;

  void MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) const;
  void MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx) const;
  void GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x, void* y) const;
  void GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy, void* dx) const;

  void Add(int64_t count, DType dtype, const void* a, const void* b, void* out) const;
  void PadForward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left, int64_t right,
                  DType dtype, const void* x, void* y) const;
  void PadBackward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left, int64_t right,
                   DType dtype, const void* dy, void* dx) const;
  void Convert(int64_t count, DType from, const void* in, DType to, void* out) const;

  void Crossentropy(const CrossentropyArgs& args) const;
  void Update(const UpdateArgs& args) const;
  double SumOfSquares(int64_t count, const float* x) const;

 private:
  double* Scratch(int64_t c) const;

  Isa isa_;
  const VectorKernelTable& table_;
  // Mutable: one caller at a time (tensor/backend.h), and no result depends on what was there before.
  mutable Tensor scratch_;
};

}  // namespace headrace::tensor
