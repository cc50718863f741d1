// Every other vector kernel of every instruction set against the reference back end, and known answers.
#include "tensor/vector_kernels.h"

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/kernel_testing.h"

namespace headrace::tensor {
namespace {

using testing::ExpectClose;
using testing::ExpectSameBits;
using testing::RandomTensor;
using testing::Tolerance;
using testing::ToleranceOf;

constexpr DType kF32 = DType::kFloat32;
constexpr int64_t kCounts[] = {1, 3, 5, 17, 33, 100, 4096, 10007};

class VectorKernelsTest : public ::testing::TestWithParam<std::tuple<Isa, DType>> {
 protected:
  VectorKernels kernels_{std::get<0>(GetParam())};
  DType dtype_ = std::get<1>(GetParam());
  std::unique_ptr<Backend> reference_ = MakeReferenceBackend();
};

struct MomentsOf {
  Tensor mean, variance;
  template <typename Kernels>
  MomentsOf(const Kernels& kernels, const Tensor& x) : mean(kF32, {x.dim(1)}), variance(kF32, {x.dim(1)}) {
    kernels.Moments(x.dim(0), x.dim(1), x.dtype(), x.raw(), {mean.data<float>(), variance.data<float>()});
  }
};

TEST_P(VectorKernelsTest, MomentsAndSums) {
  for (int64_t c : {1, 3, 5, 16, 17, 33, 64, 130}) {
    for (int64_t rows : {1, 2, 63, 64, 65, 1000}) {
      SCOPED_TRACE(::testing::Message() << rows << " rows of " << c);
      const Tensor x = RandomTensor(dtype_, {rows, c}, static_cast<uint32_t>(rows * c), 0.5f);
      const MomentsOf found(kernels_, x), wanted(*reference_, x);
      ExpectClose(found.mean, wanted.mean, {1e-6, 1e-6}, "mean");
      ExpectClose(found.variance, wanted.variance, {3e-6, 1e-7}, "variance");
      Tensor sum(kF32, {c}), sum_wanted(kF32, {c});
      kernels_.SumRows(rows, c, dtype_, x.raw(), sum.data<float>());
      reference_->SumRows(rows, c, dtype_, x.raw(), sum_wanted.data<float>());
      ExpectClose(sum, sum_wanted, {2e-6, 1e-6 * std::sqrt(static_cast<double>(rows))}, "sum");
    }
  }
}

TEST_P(VectorKernelsTest, VarianceDoesNotCancelFarFromZero) {
  const Tensor x = RandomTensor(dtype_, {5000, 19}, 3, 1000.0f, 1.0f);
  const MomentsOf found(kernels_, x), wanted(*reference_, x);
  ExpectClose(found.mean, wanted.mean, {2e-7, 0}, "mean");
  ExpectClose(found.variance, wanted.variance, {3e-6, 0}, "variance");
}

TEST_P(VectorKernelsTest, AnOutlyingFirstRowDoesNotSpoilTheVariance) {
  Tensor x = RandomTensor(kF32, {1000, 5}, 3, 1000.0f, 1.0f);
  std::fill_n(x.data<float>(), 5, 0.0f);
  const Tensor stored = x.Cast(dtype_);
  const MomentsOf found(kernels_, stored), wanted(*reference_, stored);
  ExpectClose(found.variance, wanted.variance, {5e-5, 0}, "variance");
}

TEST_P(VectorKernelsTest, SumsHaveTheSameBitsEveryTime) {
  const Tensor x = RandomTensor(dtype_, {9999, 32}, 3);
  const MomentsOf first(kernels_, x);
  for (int run = 0; run < 3; ++run) {
    const MomentsOf again(kernels_, x);
    ExpectSameBits(again.mean, first.mean, "mean");
    ExpectSameBits(again.variance, first.variance, "variance");
  }
}

constexpr Activation kActivations[] = {Activation::kLinear, Activation::kRelu,   Activation::kSigmoid,
                                       Activation::kTanh,   Activation::kElu,    Activation::kGelu,
                                       Activation::kSwish,  Activation::kSoftmax};

TEST_P(VectorKernelsTest, Activations) {
  for (Activation activation : kActivations) {
    for (int64_t c : {1, 3, 5, 10, 17, 33, 1000}) {
      for (float deviation : {0.1f, 1.0f, 20.0f}) {
        SCOPED_TRACE(::testing::Message() << "activation " << static_cast<int>(activation) << " c " << c);
        const Shape shape{9, c};
        const Tensor x = RandomTensor(dtype_, shape, 1, 0, deviation), dy = RandomTensor(dtype_, shape, 2);
        Tensor y(dtype_, shape), y_wanted(dtype_, shape), dx(dtype_, shape), dx_wanted(dtype_, shape);
        kernels_.ActivationForward(activation, 9, c, dtype_, x.raw(), y.raw());
        reference_->ActivationForward(activation, 9, c, dtype_, x.raw(), y_wanted.raw());
        const Tolerance tolerance = ToleranceOf(dtype_, 2e-6, 5e-7);
        ExpectClose(y, y_wanted, tolerance, "y");
        kernels_.ActivationBackward(activation, 9, c, dtype_, x.raw(), y_wanted.raw(), dy.raw(), dx.raw());
        reference_->ActivationBackward(activation, 9, c, dtype_, x.raw(), y_wanted.raw(), dy.raw(), dx_wanted.raw());
        ExpectClose(dx, dx_wanted, ToleranceOf(dtype_, 4e-6, 2e-6), "dx");

        Tensor in_place = x.Clone(), gradient = dy.Clone();
        kernels_.ActivationForward(activation, 9, c, dtype_, in_place.raw(), in_place.raw());
        ExpectSameBits(in_place, y, "y in place");
        kernels_.ActivationBackward(activation, 9, c, dtype_, x.raw(), y_wanted.raw(), gradient.raw(), gradient.raw());
        ExpectSameBits(gradient, dx, "dx in place");
      }
    }
  }
}

TEST_P(VectorKernelsTest, ActivationsAtTheEdgesOfTheRange) {
  if (dtype_ != kF32) return;
  const Tensor x = Tensor::FromVector(
      std::vector<float>{0, -0.0f, 1e-30f, -1e-30f, 88.7f, -88.7f, 87.4f, -87.2f, 1e30f, -1e30f, INFINITY, -INFINITY},
      {12});
  for (Activation activation : {Activation::kSigmoid, Activation::kTanh, Activation::kElu, Activation::kGelu}) {
    Tensor y(kF32, {12}), wanted(kF32, {12});
    const int64_t count = activation == Activation::kGelu ? 11 : 12;  // gelu(-inf) is -inf * 0
    kernels_.ActivationForward(activation, 1, count, kF32, x.raw(), y.raw());
    reference_->ActivationForward(activation, 1, count, kF32, x.raw(), wanted.raw());
    for (int64_t i = 0; i < count; ++i) {
      const float found = y.data<float>()[i], expected = wanted.data<float>()[i];
      if (std::isinf(expected)) {
        EXPECT_EQ(found, expected) << "activation " << static_cast<int>(activation) << " element " << i;
      } else {
        EXPECT_NEAR(found, expected, 2e-6 * std::abs(expected) + 1e-6)
            << "activation " << static_cast<int>(activation) << " element " << i;
      }
    }
  }
}

TEST_P(VectorKernelsTest, MaxPooling) {
  for (int64_t c : {1, 5, 17, 33}) {
    for (const auto& [pool, stride, pad] : {std::tuple{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {2, 3, 0}, {5, 2, 2}}) {
      Pool2DDesc desc{.n = 2,
                      .h = 9,
                      .w = 8,
                      .c = c,
                      .pool_h = pool,
                      .pool_w = pool,
                      .stride_h = stride,
                      .stride_w = stride,
                      .dtype = dtype_};
      desc.pad_top = desc.pad_left = pad / 2;
      desc.pad_bottom = desc.pad_right = pad - pad / 2;
      const Shape in{2, 9, 8, c}, out{2, desc.out_h(), desc.out_w(), c};
      const Tensor x = RandomTensor(dtype_, in, 1), dy = RandomTensor(dtype_, out, 2);
      Tensor y(dtype_, out), y_wanted(dtype_, out), dx(dtype_, in), dx_wanted(dtype_, in);
      kernels_.MaxPoolForward(desc, x.raw(), y.raw());
      reference_->MaxPoolForward(desc, x.raw(), y_wanted.raw());
      ExpectSameBits(y, y_wanted, "y");
      kernels_.MaxPoolBackward(desc, x.raw(), dy.raw(), dx.raw());
      reference_->MaxPoolBackward(desc, x.raw(), dy.raw(), dx_wanted.raw());
      ExpectClose(dx, dx_wanted, ToleranceOf(dtype_), "dx");
    }
  }
}

TEST_P(VectorKernelsTest, GlobalAveragePooling) {
  for (int64_t c : {1, 5, 17, 33}) {
    const Tensor x = RandomTensor(dtype_, {3, 77, c}, 1), dy = RandomTensor(dtype_, {3, c}, 2);
    Tensor y(dtype_, {3, c}), y_wanted(dtype_, {3, c}), dx(dtype_, x.shape()), dx_wanted(dtype_, x.shape());
    kernels_.GlobalAveragePoolForward(3, 77, c, dtype_, x.raw(), y.raw());
    reference_->GlobalAveragePoolForward(3, 77, c, dtype_, x.raw(), y_wanted.raw());
    ExpectClose(y, y_wanted, ToleranceOf(dtype_), "y");
    kernels_.GlobalAveragePoolBackward(3, 77, c, dtype_, dy.raw(), dx.raw());
    reference_->GlobalAveragePoolBackward(3, 77, c, dtype_, dy.raw(), dx_wanted.raw());
    ExpectClose(dx, dx_wanted, ToleranceOf(dtype_), "dx");
  }
}

TEST_P(VectorKernelsTest, AddAndConvert) {
  for (int64_t count : kCounts) {
    const Tensor a = RandomTensor(dtype_, {count}, 1), b = RandomTensor(dtype_, {count}, 2);
    Tensor sum(dtype_, {count}), wanted(dtype_, {count});
    kernels_.Add(count, dtype_, a.raw(), b.raw(), sum.raw());
    reference_->Add(count, dtype_, a.raw(), b.raw(), wanted.raw());
    ExpectSameBits(sum, wanted, "sum");

    Tensor pixels(DType::kUInt8, {count});
    for (int64_t i = 0; i < count; ++i) pixels.data<uint8_t>()[i] = static_cast<uint8_t>(i * 37);
    for (const Tensor& from : {pixels, a, a.Cast(kF32)}) {
      kernels_.Convert(count, from.dtype(), from.raw(), dtype_, sum.raw());
      reference_->Convert(count, from.dtype(), from.raw(), dtype_, wanted.raw());
      ExpectSameBits(sum, wanted, "converted");
    }
  }
}

TEST_P(VectorKernelsTest, Padding) {
  const Tensor x = RandomTensor(dtype_, {2, 3, 4, 5}, 1);
  const Shape padded{2, 3 + 1 + 2, 4 + 3 + 0, 5};
  Tensor y(dtype_, padded), wanted(dtype_, padded), back(dtype_, x.shape());
  kernels_.PadForward(2, 3, 4, 5, 1, 2, 3, 0, dtype_, x.raw(), y.raw());
  reference_->PadForward(2, 3, 4, 5, 1, 2, 3, 0, dtype_, x.raw(), wanted.raw());
  ExpectSameBits(y, wanted, "padded");
  kernels_.PadBackward(2, 3, 4, 5, 1, 2, 3, 0, dtype_, y.raw(), back.raw());
  ExpectSameBits(back, x, "cut again");
}

INSTANTIATE_TEST_SUITE_P(Isas, VectorKernelsTest,
                         ::testing::Combine(::testing::ValuesIn(RunnableIsas()),
                                            ::testing::Values(DType::kFloat32, DType::kBFloat16)),
                         [](const auto& info) {
                           return std::string(NameOf(std::get<0>(info.param))) + "_" + NameOf(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace headrace::tensor
