// The processor back end: oneDNN's direct convolutions and matrix products, our Winograd and direct convolutions, and
// our vector kernels for everything between.
#include <dnnl.h>

#include "base/result.h"
#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/direct_conv.h"
#include "tensor/onednn/conv.h"
#include "tensor/onednn/dense.h"
#include "tensor/onednn/fixed_conv.h"
#include "tensor/onednn/matmul.h"
#include "tensor/vector_kernels.h"
#include "tensor/winograd.h"

namespace headrace::tensor {
namespace {

template <typename Kernel>
void AddUnlessNull(std::vector<std::unique_ptr<Kernel>>& list, std::unique_ptr<Kernel> kernel) {
  if (kernel != nullptr) list.push_back(std::move(kernel));
}

template <typename Kernel>
std::vector<std::unique_ptr<Kernel>> NotEmpty(std::vector<std::unique_ptr<Kernel>> list, const Conv2DDesc& d) {
  if (list.empty())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "no kernel for a convolution of ({}, {}, {}, {}) with {} filters of {}x{} in {} on this processor",
                    d.n, d.h, d.w, d.c, d.f, d.kh, d.kw, NameOf(d.dtype));
  return list;
}

class OneDnnBackend : public Backend {
 public:
  OneDnnBackend() : vectors_(DetectIsa()), dense_(vectors_) {}

  std::string name() const override { return "onednn"; }
  std::string description() const override {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("onednn {}.{}.{}, {}", version->major, version->minor, version->patch, NameOf(vectors_.isa()));
  }

  std::vector<std::unique_ptr<ConvForward>> ConvForwards(const Conv2DDesc& desc) const override {
    std::vector<std::unique_ptr<ConvForward>> list;
    AddUnlessNull(list, MakeDirectForward(desc));
    AddUnlessNull(list, MakeWinogradForward(desc));
    AddUnlessNull(list, MakeWinogradSmallBatchForward(desc));
    AddUnlessNull(list, onednn::MakeConvForward(desc));
    return NotEmpty(std::move(list), desc);
  }
  std::vector<std::unique_ptr<ConvBackwardData>> ConvBackwardDatas(const Conv2DDesc& desc) const override {
    std::vector<std::unique_ptr<ConvBackwardData>> list;
    AddUnlessNull(list, MakeWinogradBackwardData(desc));
    AddUnlessNull(list, onednn::MakeConvBackwardData(desc));
    return NotEmpty(std::move(list), desc);
  }
  std::vector<std::unique_ptr<ConvBackwardWeights>> ConvBackwardWeightss(const Conv2DDesc& desc) const override {
    std::vector<std::unique_ptr<ConvBackwardWeights>> list;
    AddUnlessNull(list, MakeDirectBackwardWeights(desc));
    AddUnlessNull(list, MakeWinogradBackwardWeights(desc));
    AddUnlessNull(list, onednn::MakeConvBackwardWeights(desc));
    return NotEmpty(std::move(list), desc);
  }

  std::unique_ptr<FixedConv> MakeFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                           PackedWeights& packed) const override {
    if (auto winograd = MakeWinogradFixedConv(desc, kernel, bias, packed)) return winograd;
    auto made = onednn::MakeFixedConv(desc, kernel, bias, packed);
    return made != nullptr ? std::move(made) : Backend::MakeFixedConv(desc, kernel, bias, packed);
  }

  size_t DenseWorkspaceBytes(const DenseDesc& desc) const override {
    return onednn::DenseKernels::WorkspaceBytes(desc);
  }
  void DenseForward(const DenseDesc& desc, const void* x, const float* kernel, const float* bias, void* y,
                    void* workspace) const override {
    dense_.Forward(desc, x, kernel, bias, y, workspace);
  }
  void DenseBackwardData(const DenseDesc& desc, const void* dy, const float* kernel, void* dx,
                         void* workspace) const override {
    dense_.BackwardData(desc, dy, kernel, dx, workspace);
  }
  void DenseBackwardWeights(const DenseDesc& desc, const void* x, const void* dy, float* dkernel, float* dbias,
                            void* workspace) const override {
    dense_.BackwardWeights(desc, x, dy, dkernel, dbias, workspace);
  }

  size_t MatMulWorkspaceBytes(const MatMulDesc& desc) const override { return onednn::MatMulWorkspaceBytes(desc); }
  void MatMul(const MatMulDesc& desc, const void* a, const void* b, void* y, void* workspace) const override {
    onednn::MatMul(desc, a, b, y, workspace, vectors_);
  }

  void Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments) const override {
    vectors_.Moments(rows, c, dtype, x, moments);
  }
  void EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) const override {
    vectors_.EpilogueForward(desc, args);
  }
  void EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const override {
    vectors_.EpilogueBackwardSums(desc, args);
  }
  void EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const override {
    vectors_.EpilogueBackward(desc, args);
  }
  void ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                         void* y) const override {
    vectors_.ActivationForward(activation, rows, c, dtype, x, y);
  }
  void ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, const void* y,
                          const void* dy, void* dx) const override {
    vectors_.ActivationBackward(activation, rows, c, dtype, x, y, dy, dx);
  }
  void MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) const override {
    vectors_.MaxPoolForward(desc, x, y);
  }
  void MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy, void* dx) const override {
    vectors_.MaxPoolBackward(desc, x, dy, dx);
  }
  void GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x, void* y) const override {
    vectors_.GlobalAveragePoolForward(n, hw, c, dtype, x, y);
  }
  void GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy,
                                 void* dx) const override {
    vectors_.GlobalAveragePoolBackward(n, hw, c, dtype, dy, dx);
  }
  void Add(int64_t count, DType dtype, const void* a, const void* b, void* out) const override {
    vectors_.Add(count, dtype, a, b, out);
  }
  void PadForward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left, int64_t right,
                  DType dtype, const void* x, void* y) const override {
    vectors_.PadForward(n, h, w, c, top, bottom, left, right, dtype, x, y);
  }
  void PadBackward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left, int64_t right,
                   DType dtype, const void* dy, void* dx) const override {
    vectors_.PadBackward(n, h, w, c, top, bottom, left, right, dtype, dy, dx);
  }
  void Convert(int64_t count, DType from, const void* in, DType to, void* out) const override {
    vectors_.Convert(count, from, in, to, out);
  }
  void SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out) const override {
    vectors_.SumRows(rows, c, dtype, x, out);
  }
  void Crossentropy(const CrossentropyArgs& args) const override { vectors_.Crossentropy(args); }
  void Update(const UpdateArgs& args) const override { vectors_.Update(args); }
  double SumOfSquares(int64_t count, const float* x) const override { return vectors_.SumOfSquares(count, x); }

 private:
  VectorKernels vectors_;
  onednn::DenseKernels dense_;
};

}  // namespace

std::unique_ptr<Backend> MakeOneDnnBackend() { return std::make_unique<OneDnnBackend>(); }

}  // namespace headrace::tensor
