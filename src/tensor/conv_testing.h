// For the tests of convolution kernels: a plain convolution in double precision and random arguments.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tensor/backend.h"

namespace headrace::tensor::conv_testing {

// 64-byte aligned floats or bfloat16 bits with a guard behind them that CheckGuard() looks at.
class Buffer {
 public:
  explicit Buffer(int64_t elements, DType dtype = DType::kFloat32)
      : elements_(elements), dtype_(dtype), bytes_(elements * SizeOf(dtype)), storage_(bytes_ + 64 + kGuard, 0xA5) {}
  void* raw() { return storage_.data() + (64 - reinterpret_cast<uintptr_t>(storage_.data()) % 64) % 64; }
  float* floats() { return static_cast<float*>(raw()); }
  double Get(int64_t i) {
    if (dtype_ == DType::kFloat32) return floats()[i];
    return FromBits(static_cast<uint32_t>(static_cast<uint16_t*>(raw())[i]) << 16);
  }
  void Set(int64_t i, float value) {
    if (dtype_ == DType::kFloat32) {
      floats()[i] = value;
    } else {
      static_cast<uint16_t*>(raw())[i] = Round(value);
    }
  }
  int64_t size() const { return elements_; }
  std::vector<double> Values() {
    std::vector<double> out(elements_);
    for (int64_t i = 0; i < elements_; ++i) out[i] = Get(i);
    return out;
  }
  std::vector<uint8_t> Bytes() {
    const auto* p = static_cast<uint8_t*>(raw());
    return {p, p + bytes_};
  }
  bool GuardIntact() {
    const auto* p = static_cast<uint8_t*>(raw()) + bytes_;
    for (const auto* end = p + kGuard; p < end && p < storage_.data() + storage_.size(); ++p) {
      if (*p != 0xA5) return false;
    }
    return true;
  }

 private:
  static constexpr int64_t kGuard = 256;
  static float FromBits(uint32_t bits) {
    float value;
    __builtin_memcpy(&value, &bits, 4);
    return value;
  }
  static uint16_t Round(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, 4);
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
  int64_t elements_;
  DType dtype_;
  int64_t bytes_;
  std::vector<uint8_t> storage_;
};

inline void Fill(Buffer& buffer, uint32_t seed, float mean = 0, float deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean, deviation);
  for (int64_t i = 0; i < buffer.size(); ++i) buffer.Set(i, normal(random));
}

// Calls body(x index, kernel index, y index) for every product of the convolution that is not with padding.
template <typename Body>
void ForEachProduct(const Conv2DDesc& d, const Body& body) {
  for (int64_t n = 0; n < d.n; ++n) {
    for (int64_t oy = 0; oy < d.out_h(); ++oy) {
      for (int64_t ox = 0; ox < d.out_w(); ++ox) {
        for (int64_t i = 0; i < d.kh; ++i) {
          const int64_t iy = oy * d.stride_h + i * d.dilation_h - d.pad_top;
          if (iy < 0 || iy >= d.h) continue;
          for (int64_t j = 0; j < d.kw; ++j) {
            const int64_t ix = ox * d.stride_w + j * d.dilation_w - d.pad_left;
            if (ix < 0 || ix >= d.w) continue;
            const int64_t x = ((n * d.h + iy) * d.w + ix) * d.c;
            const int64_t g = (i * d.kw + j) * d.c * d.f;
            const int64_t y = ((n * d.out_h() + oy) * d.out_w() + ox) * d.f;
            for (int64_t c = 0; c < d.c; ++c) {
              for (int64_t f = 0; f < d.f; ++f) body(x + c, g + c * d.f + f, y + f);
            }
          }
        }
      }
    }
  }
}

// Largest difference relative to the largest wanted magnitude.
inline double MaxError(const std::vector<double>& found, const std::vector<double>& wanted) {
  double error = 0, most = 1e-30;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!(std::abs(found[i] - wanted[i]) <= error)) error = std::abs(found[i] - wanted[i]);
    most = std::max(most, std::abs(wanted[i]));
  }
  return error / most;
}

inline std::string ToString(const Conv2DDesc& d) {
  const auto s = [](int64_t v) { return std::to_string(v); };
  return "n" + s(d.n) + " " + s(d.h) + "x" + s(d.w) + "x" + s(d.c) + " kernel " + s(d.kh) + "x" + s(d.kw) + " stride " +
         s(d.stride_h) + "x" + s(d.stride_w) + " filters " + s(d.f) + " pads " + s(d.pad_top) + "," + s(d.pad_bottom) +
         "," + s(d.pad_left) + "," + s(d.pad_right) + " " + NameOf(d.dtype);
}

// A convolution's random arguments and what each pass should compute from them, in double precision (slow: share a
// Case between the kernels that are checked). The input of forward and backward weights goes through relu(x * scale +
// shift).
class Case {
 public:
  explicit Case(const Conv2DDesc& desc, float x_mean = 0)
      : d(desc),
        x(d.n * d.h * d.w * d.c, d.dtype),
        dy(d.n * d.out_h() * d.out_w() * d.f, d.dtype),
        kernel(d.kh * d.kw * d.c * d.f),
        bias(d.f),
        scale(d.c),
        shift(d.c) {
    Fill(x, 1, x_mean);
    Fill(dy, 2);
    Fill(kernel, 3, 0, 1.0f / std::sqrt(static_cast<float>(d.kh * d.kw * d.c)));
    Fill(bias, 4);
    Fill(scale, 5, 1, 0.5f);
    Fill(shift, 6, 0.2f, 0.3f);
    affine = {scale.floats(), shift.floats(), true};
  }

  double Input(int64_t i, bool with_affine) {
    if (!with_affine) return x.Get(i);
    const int64_t c = i % d.c;
    return std::max(x.Get(i) * scale.Get(c) + shift.Get(c), 0.0);
  }
  const std::vector<double>& Forward(bool with_affine, bool with_bias) {
    std::vector<double>& y = forward_[with_affine][with_bias];
    if (!y.empty()) return y;
    y.resize(dy.size());
    for (size_t i = 0; i < y.size(); ++i) y[i] = with_bias ? bias.Get(static_cast<int64_t>(i) % d.f) : 0;
    const std::vector<double> in = Inputs(with_affine), g = kernel.Values();
    ForEachProduct(d, [&](int64_t xi, int64_t gi, int64_t yi) { y[yi] += in[xi] * g[gi]; });
    return y;
  }
  const std::vector<double>& BackwardData() {
    std::vector<double>& dx = backward_data_;
    if (!dx.empty()) return dx;
    dx.resize(x.size());
    const std::vector<double> out = dy.Values(), g = kernel.Values();
    ForEachProduct(d, [&](int64_t xi, int64_t gi, int64_t yi) { dx[xi] += out[yi] * g[gi]; });
    return dx;
  }
  const std::vector<double>& BackwardWeights(bool with_affine) {
    std::vector<double>& dg = backward_weights_[with_affine];
    if (!dg.empty()) return dg;
    dg.resize(kernel.size());
    const std::vector<double> in = Inputs(with_affine), out = dy.Values();
    ForEachProduct(d, [&](int64_t xi, int64_t gi, int64_t yi) { dg[gi] += in[xi] * out[yi]; });
    return dg;
  }
  std::vector<double> BiasGradient() {
    std::vector<double> db(d.f);
    for (int64_t i = 0; i < dy.size(); ++i) db[i % d.f] += dy.Get(i);
    return db;
  }

  Conv2DDesc d;
  Buffer x, dy, kernel, bias, scale, shift;
  ChannelAffine affine;

 private:
  std::vector<double> Inputs(bool with_affine) {
    std::vector<double> in(x.size());
    for (int64_t i = 0; i < x.size(); ++i) in[i] = Input(i, with_affine);
    return in;
  }
  std::vector<double> forward_[2][2], backward_data_, backward_weights_[2];  // computed once
};

// Mean and biased variance of each of c channels.
inline std::vector<double> MeansOf(const std::vector<double>& y, int64_t c) {
  std::vector<double> mean(c);
  for (size_t i = 0; i < y.size(); ++i) mean[i % c] += y[i] / (static_cast<double>(y.size()) / c);
  return mean;
}
inline std::vector<double> VariancesOf(const std::vector<double>& y, int64_t c) {
  const std::vector<double> mean = MeansOf(y, c);
  std::vector<double> variance(c);
  for (size_t i = 0; i < y.size(); ++i) {
    variance[i % c] += (y[i] - mean[i % c]) * (y[i] - mean[i % c]) / (static_cast<double>(y.size()) / c);
  }
  return variance;
}

}  // namespace headrace::tensor::conv_testing
