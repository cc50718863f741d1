// kernels.h: the vector kernels of one instruction set. Each is a Backend method of the same name (tensor/backend.h has
// the contracts); the ones that reduce over rows take `scratch` as well: ScratchDoubles() doubles, 64-byte aligned.
#pragma once

#include "tensor/backend.h"

namespace headrace::tensor::HEADRACE_ISA {

void Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments, double* scratch);
void SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out, double* scratch);

void EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args);
void EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch);
void EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch);

void ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, void* y);
void ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, const void* y,
                        const void* dy, void* dx);

void MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y);
void MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx);
void GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x, void* y);
void GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy, void* dx);

void Add(int64_t count, DType dtype, const void* a, const void* b, void* out);
void Convert(int64_t count, DType from, const void* in, DType to, void* out);

void Crossentropy(const CrossentropyArgs& args);
void Update(const UpdateArgs& args, double* scratch);
double SumOfSquares(int64_t count, const float* x, double* scratch);

}  // namespace headrace::tensor::HEADRACE_ISA
