// Cross-correlation over [n, h, w, c] with kernels [kh, kw, c, f], and its two gradients.
#include "tensor/reference/reference_backend.h"
#include "tensor/reference/storage.h"

namespace headrace::tensor::reference {
namespace {

// The input of a convolution as it sees it: transformed, rounded to the storage type, zero outside.
class Input {
 public:
  Input(const Conv2DDesc& desc, const void* x, const ChannelAffine* affine) : desc_(desc), x_(x), affine_(affine) {}

  double At(int64_t n, int64_t h, int64_t w, int64_t c) const {
    if (h < 0 || h >= desc_.h || w < 0 || w >= desc_.w) return 0;
    const double x = Read(x_, desc_.dtype, ((n * desc_.h + h) * desc_.w + w) * desc_.c + c);
    if (affine_ == nullptr) return x;
    const double z = x * affine_->scale[c] + affine_->shift[c];
    return Stored(desc_.dtype, affine_->relu && z < 0 ? 0 : z);
  }

 private:
  const Conv2DDesc& desc_;
  const void* x_;
  const ChannelAffine* affine_;
};

// Row or column of the input that tap `k` of output `out` reads.
int64_t InputIndex(int64_t out, int64_t k, int64_t stride, int64_t dilation, int64_t pad_before) {
  return out * stride + k * dilation - pad_before;
}

// The output whose tap `k` reads input `in`, or -1 when there is none.
int64_t OutputIndex(int64_t in, int64_t k, int64_t stride, int64_t dilation, int64_t pad_before, int64_t outputs) {
  const int64_t scaled = in + pad_before - k * dilation;
  if (scaled < 0 || scaled % stride != 0 || scaled / stride >= outputs) return -1;
  return scaled / stride;
}

int64_t KernelIndex(const Conv2DDesc& d, int64_t kh, int64_t kw, int64_t c, int64_t f) {
  return ((kh * d.kw + kw) * d.c + c) * d.f + f;
}

class Forward final : public ConvForward {
 public:
  explicit Forward(const Conv2DDesc& desc) : desc_(desc) {}
  std::string name() const override { return "reference"; }
  size_t workspace_bytes() const override { return 0; }
  bool direct() const override { return true; }
  bool fuses_input() const override { return true; }
  bool fuses_moments() const override { return true; }

  void Run(const Args& args) const override {
    const Input input(desc_, args.x, args.input);
    int64_t out = 0;
    for (int64_t n = 0; n < desc_.n; ++n) {
      for (int64_t oh = 0; oh < desc_.out_h(); ++oh) {
        for (int64_t ow = 0; ow < desc_.out_w(); ++ow) {
          for (int64_t f = 0; f < desc_.f; ++f, ++out) {
            const double bias = args.bias != nullptr ? args.bias[f] : 0;
            Write(args.y, desc_.dtype, out, bias + Sum(input, args.kernel, n, oh, ow, f));
          }
        }
      }
    }
    if (args.moments != nullptr) {
      ReferenceBackend().Moments(desc_.n * desc_.out_h() * desc_.out_w(), desc_.f, desc_.dtype, args.y, *args.moments);
    }
  }

 private:
  double Sum(const Input& input, const float* kernel, int64_t n, int64_t oh, int64_t ow, int64_t f) const {
    double sum = 0;
    for (int64_t kh = 0; kh < desc_.kh; ++kh) {
      const int64_t h = InputIndex(oh, kh, desc_.stride_h, desc_.dilation_h, desc_.pad_top);
      for (int64_t kw = 0; kw < desc_.kw; ++kw) {
        const int64_t w = InputIndex(ow, kw, desc_.stride_w, desc_.dilation_w, desc_.pad_left);
        for (int64_t c = 0; c < desc_.c; ++c) {
          sum += input.At(n, h, w, c) * Stored(desc_.dtype, kernel[KernelIndex(desc_, kh, kw, c, f)]);
        }
      }
    }
    return sum;
  }

  Conv2DDesc desc_;
};

class BackwardData final : public ConvBackwardData {
 public:
  explicit BackwardData(const Conv2DDesc& desc) : desc_(desc) {}
  std::string name() const override { return "reference"; }
  size_t workspace_bytes() const override { return 0; }
  bool direct() const override { return true; }

  void Run(const Args& args) const override {
    int64_t in = 0;
    for (int64_t n = 0; n < desc_.n; ++n) {
      for (int64_t h = 0; h < desc_.h; ++h) {
        for (int64_t w = 0; w < desc_.w; ++w) {
          for (int64_t c = 0; c < desc_.c; ++c, ++in) Write(args.dx, desc_.dtype, in, Sum(args, n, h, w, c));
        }
      }
    }
  }

 private:
  double Sum(const Args& args, int64_t n, int64_t h, int64_t w, int64_t c) const {
    double sum = 0;
    for (int64_t kh = 0; kh < desc_.kh; ++kh) {
      const int64_t oh = OutputIndex(h, kh, desc_.stride_h, desc_.dilation_h, desc_.pad_top, desc_.out_h());
      if (oh < 0) continue;
      for (int64_t kw = 0; kw < desc_.kw; ++kw) {
        const int64_t ow = OutputIndex(w, kw, desc_.stride_w, desc_.dilation_w, desc_.pad_left, desc_.out_w());
        if (ow < 0) continue;
        for (int64_t f = 0; f < desc_.f; ++f) {
          const double dy = Read(args.dy, desc_.dtype, ((n * desc_.out_h() + oh) * desc_.out_w() + ow) * desc_.f + f);
          sum += dy * Stored(desc_.dtype, args.kernel[KernelIndex(desc_, kh, kw, c, f)]);
        }
      }
    }
    return sum;
  }

  Conv2DDesc desc_;
};

class BackwardWeights final : public ConvBackwardWeights {
 public:
  explicit BackwardWeights(const Conv2DDesc& desc) : desc_(desc) {}
  std::string name() const override { return "reference"; }
  size_t workspace_bytes() const override { return 0; }
  bool direct() const override { return true; }
  bool fuses_input() const override { return true; }

  void Run(const Args& args) const override {
    const Input input(desc_, args.x, args.input);
    for (int64_t kh = 0; kh < desc_.kh; ++kh) {
      for (int64_t kw = 0; kw < desc_.kw; ++kw) {
        for (int64_t c = 0; c < desc_.c; ++c) {
          for (int64_t f = 0; f < desc_.f; ++f) {
            args.dkernel[KernelIndex(desc_, kh, kw, c, f)] = static_cast<float>(Sum(input, args.dy, kh, kw, c, f));
          }
        }
      }
    }
    if (args.dbias != nullptr) {
      ReferenceBackend().SumRows(desc_.n * desc_.out_h() * desc_.out_w(), desc_.f, desc_.dtype, args.dy, args.dbias);
    }
  }

 private:
  double Sum(const Input& input, const void* dy, int64_t kh, int64_t kw, int64_t c, int64_t f) const {
    double sum = 0;
    int64_t pixel = 0;
    for (int64_t n = 0; n < desc_.n; ++n) {
      for (int64_t oh = 0; oh < desc_.out_h(); ++oh) {
        const int64_t h = InputIndex(oh, kh, desc_.stride_h, desc_.dilation_h, desc_.pad_top);
        for (int64_t ow = 0; ow < desc_.out_w(); ++ow, ++pixel) {
          const int64_t w = InputIndex(ow, kw, desc_.stride_w, desc_.dilation_w, desc_.pad_left);
          sum += input.At(n, h, w, c) * Read(dy, desc_.dtype, pixel * desc_.f + f);
        }
      }
    }
    return sum;
  }

  Conv2DDesc desc_;
};

template <typename Base, typename Kernel>
std::vector<std::unique_ptr<Base>> Only(const Conv2DDesc& desc) {
  std::vector<std::unique_ptr<Base>> candidates;
  candidates.push_back(std::make_unique<Kernel>(desc));
  return candidates;
}

}  // namespace

std::vector<std::unique_ptr<ConvForward>> ReferenceBackend::ConvForwards(const Conv2DDesc& desc) const {
  return Only<ConvForward, Forward>(desc);
}

std::vector<std::unique_ptr<ConvBackwardData>> ReferenceBackend::ConvBackwardDatas(const Conv2DDesc& desc) const {
  return Only<ConvBackwardData, BackwardData>(desc);
}

std::vector<std::unique_ptr<ConvBackwardWeights>> ReferenceBackend::ConvBackwardWeightss(const Conv2DDesc& desc) const {
  return Only<ConvBackwardWeights, BackwardWeights>(desc);
}

}  // namespace headrace::tensor::reference
