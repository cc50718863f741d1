// The reference back end: every kernel as plain loops in the order of its formula, on one thread, sums in double.
// It is the oracle of the tests: read it to learn what a kernel means, never for speed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensor/backend.h"

namespace headrace::tensor::reference {

class ReferenceBackend final : public Backend {
 public:
  std::string name() const override { return "reference"; }
  std::string description() const override { return "reference, one thread, sums in double"; }

  // One candidate each, "reference"; it fuses everything that a candidate may fuse and needs no workspace.
  std::vector<std::unique_ptr<ConvForward>> ConvForwards(const Conv2DDesc& desc) const override;
  std::vector<std::unique_ptr<ConvBackwardData>> ConvBackwardDatas(const Conv2DDesc& desc) const override;
  std::vector<std::unique_ptr<ConvBackwardWeights>> ConvBackwardWeightss(const Conv2DDesc& desc) const override;

  size_t DenseWorkspaceBytes(const DenseDesc& desc) const override;
  void DenseForward(const DenseDesc& desc, const void* x, const float* kernel, const float* bias, void* y,
                    void* workspace) const override;
  void DenseBackwardData(const DenseDesc& desc, const void* dy, const float* kernel, void* dx,
                         void* workspace) const override;
  void DenseBackwardWeights(const DenseDesc& desc, const void* x, const void* dy, float* dkernel, float* dbias,
                            void* workspace) const override;

  void Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments) const override;
  void EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) const override;
  void EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const override;
  void EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const override;

  void ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                         void* y) const override;
  void ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, const void* y,
                          const void* dy, void* dx) const override;

  void MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) const override;
  void MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx) const override;
  void GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x, void* y) const override;
  void GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy,
                                 void* dx) const override;
  void Add(int64_t count, DType dtype, const void* a, const void* b, void* out) const override;
  void PadForward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left, int64_t right,
                  DType dtype, const void* x, void* y) const override;
  void PadBackward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left, int64_t right,
                   DType dtype, const void* dy, void* dx) const override;
  void Convert(int64_t count, DType from, const void* in, DType to, void* out) const override;
  void SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out) const override;

  void Crossentropy(const CrossentropyArgs& args) const override;
  void Update(const UpdateArgs& args) const override;
  double SumOfSquares(int64_t count, const float* x) const override;
};

}  // namespace headrace::tensor::reference
