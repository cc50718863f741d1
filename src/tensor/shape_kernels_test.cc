// Operations that pick, repeat, resample or gather: small cases by hand, and bfloat16 beside float32.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tensor/backend.h"
#include "tensor/kernel_testing.h"

namespace headrace::tensor {
namespace {

using ::testing::ElementsAre;

Tensor Floats(Shape shape, const std::vector<float>& values) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.data<float>());
  return tensor;
}

// 0, 1, 2, …
Tensor Counted(const Shape& shape) {
  Tensor tensor(DType::kFloat32, shape);
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<float>()[i] = static_cast<float>(i);
  return tensor;
}

std::vector<float> Values(const Tensor& tensor) {
  const Tensor floats = tensor.Cast(DType::kFloat32);
  return {floats.data<float>(), floats.data<float>() + floats.size()};
}

class ShapeKernelsTest : public ::testing::TestWithParam<DType> {
 protected:
  DType dtype() const { return GetParam(); }
  Tensor Out(Shape shape) const { return Tensor(dtype(), std::move(shape)); }
  std::unique_ptr<Backend> backend_ = MakeReferenceBackend();
};
INSTANTIATE_TEST_SUITE_P(Types, ShapeKernelsTest, ::testing::Values(DType::kFloat32, DType::kBFloat16));

TEST_P(ShapeKernelsTest, SlicesWithSteps) {
  const Tensor x = Counted({2, 4, 3}).Cast(dtype());
  Tensor y = Out({2, 2, 2});
  backend_->Slice({x.shape(), y.shape(), {0, 1, 2}, {1, 2, -1}, dtype()}, x.raw(), y.raw());
  EXPECT_THAT(Values(y), ElementsAre(5, 4, 11, 10, 17, 16, 23, 22));
}

TEST_P(ShapeKernelsTest, Tiles) {
  const Tensor x = Counted({1, 2, 2}).Cast(dtype());
  Tensor y = Out({1, 4, 4});
  backend_->Tile(x.shape(), {1, 2, 2}, dtype(), x.raw(), y.raw());
  EXPECT_THAT(Values(y), ElementsAre(0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3));
}

TEST_P(ShapeKernelsTest, ReducesAnyAxes) {
  const Tensor x = Counted({2, 3, 2}).Cast(dtype());
  const auto reduced = [&](Reduction kind, const std::vector<bool>& axes, Shape shape) {
    Tensor y = Out(std::move(shape));
    backend_->Reduce({kind, x.shape(), axes, dtype()}, x.raw(), y.raw());
    return Values(y);
  };
  EXPECT_THAT(reduced(Reduction::kMean, {false, true, false}, {2, 2}), ElementsAre(2, 3, 8, 9));
  EXPECT_THAT(reduced(Reduction::kSum, {false, true, true}, {2}), ElementsAre(15, 51));
  EXPECT_THAT(reduced(Reduction::kMaximum, {false, false, true}, {2, 3}), ElementsAre(1, 3, 5, 7, 9, 11));
  EXPECT_THAT(reduced(Reduction::kMinimum, {true, true, false}, {2}), ElementsAre(0, 1));
}

TEST_P(ShapeKernelsTest, SelectsElementByElement) {
  const Tensor condition = Floats({2, 1}, {0, 1}).Cast(dtype()), a = Counted({2, 2}).Cast(dtype());
  const Tensor b = Floats({1, 2}, {8, INFINITY}).Cast(dtype());
  Tensor y = Out({2, 2});
  backend_->Select({condition.shape(), a.shape(), b.shape(), y.shape(), dtype()}, condition.raw(), a.raw(), b.raw(),
                   y.raw());
  EXPECT_THAT(Values(y), ElementsAre(8, INFINITY, 2, 3));
}

TEST_P(ShapeKernelsTest, Resizes) {
  const Tensor x = Floats({1, 2, 2, 1}, {0, 4, 8, 12}).Cast(dtype());
  const auto resized = [&](int64_t size, Resampling resampling, bool half_pixels, bool aligned) {
    Tensor y = Out({1, size, size, 1});
    backend_->Resize({1, 2, 2, 1, size, size, resampling, half_pixels, aligned, dtype()}, x.raw(), y.raw());
    return Values(y);
  };
  EXPECT_THAT(resized(4, Resampling::kNearest, true, false),
              ElementsAre(0, 0, 4, 4, 0, 0, 4, 4, 8, 8, 12, 12, 8, 8, 12, 12));
  EXPECT_THAT(resized(4, Resampling::kBilinear, true, false),
              ElementsAre(0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12));
  EXPECT_THAT(resized(3, Resampling::kBilinear, false, true), ElementsAre(0, 2, 4, 4, 6, 8, 8, 10, 12));
  EXPECT_THAT(resized(4, Resampling::kBilinear, false, false),
              ElementsAre(0, 2, 4, 4, 4, 6, 8, 8, 8, 10, 12, 12, 8, 10, 12, 12));
  EXPECT_THAT(resized(1, Resampling::kNearest, false, false), ElementsAre(0));
}

TEST_P(ShapeKernelsTest, SpreadsWithZeros) {
  const Tensor x = Floats({2, 2, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8}).Cast(dtype());
  Tensor y = Out({2, 3, 1, 2});
  backend_->Spread(2, 2, 1, 2, 2, 3, dtype(), x.raw(), y.raw());
  EXPECT_THAT(Values(y), ElementsAre(1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8));
}

TEST_P(ShapeKernelsTest, LooksRowsUp) {
  const Tensor table = Counted({3, 2}), x = Floats({5}, {2, 0, -1, 3, NAN}).Cast(dtype());
  Tensor y = Out({5, 2});
  const GatherDesc desc{5, 3, 2, dtype(), dtype()};
  backend_->Gather(desc, table.data<float>(), x.raw(), y.raw());
  EXPECT_THAT(Values(y), ElementsAre(4, 5, 0, 1, 0, 0, 0, 0, 0, 0));
}

TEST_P(ShapeKernelsTest, SumsRowsByNumber) {
  const Tensor dy = Counted({4, 2}).Cast(dtype()), numbers = Tensor::FromVector(std::vector<int64_t>{2, 0, 2, 7}, {4});
  Tensor table(DType::kFloat32, {3, 2});
  backend_->ScatterSum({4, 3, 2, DType::kInt64, dtype()}, numbers.raw(), dy.raw(), table.data<float>());
  EXPECT_THAT(Values(table), ElementsAre(2, 3, 0, 0, 4, 6));
}

TEST_P(ShapeKernelsTest, PutsSlicesBack) {
  const Tensor x = Counted({2, 2}).Cast(dtype());
  Tensor y = Out({3, 4});
  backend_->Unslice({y.shape(), x.shape(), {0, 3}, {2, -2}, dtype()}, x.raw(), y.raw());
  EXPECT_THAT(Values(y), ElementsAre(0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 2));
}

// The reference's loops and oneDNN's product, of every layout, with matrices that repeat.
TEST_P(ShapeKernelsTest, MultipliesMatrices) {
  const auto onednn = MakeOneDnnBackend();
  uint32_t seed = 0;
  for (const bool transpose_a : {false, true})
    for (const bool transpose_b : {false, true})
      for (const auto& [batch_a, batch_b, batch] :
           {std::tuple<Shape, Shape, Shape>{{2, 3}, {2, 3}, {2, 3}}, {{2, 1}, {1, 3}, {2, 3}}, {{}, {}, {}}}) {
        const MatMulDesc desc{batch_a, batch_b, batch, 5, 7, 4, transpose_a, transpose_b, dtype()};
        const auto operand = [&](const Shape& leading, int64_t rows, int64_t columns) {
          std::vector<int64_t> dims = leading.dims();
          dims.insert(dims.end(), {rows, columns});
          return testing::RandomTensor(dtype(), Shape(dims), ++seed);
        };
        const Tensor a = operand(batch_a, transpose_a ? 7 : 5, transpose_a ? 5 : 7);
        const Tensor b = operand(batch_b, transpose_b ? 4 : 7, transpose_b ? 7 : 4);
        std::vector<int64_t> dims = batch.dims();
        dims.insert(dims.end(), {5, 4});
        Tensor plain(dtype(), Shape(dims)), fast(dtype(), Shape(dims));
        backend_->MatMul(desc, a.raw(), b.raw(), plain.raw(), nullptr);
        Tensor workspace(DType::kFloat32, {static_cast<int64_t>(onednn->MatMulWorkspaceBytes(desc) / 4 + 1)});
        onednn->MatMul(desc, a.raw(), b.raw(), fast.raw(), workspace.raw());
        testing::ExpectClose(fast, plain, testing::ToleranceOf(dtype()), "product");
        double sum = 0;  // of the first row and column, by hand
        const Tensor fa = a.Cast(DType::kFloat32), fb = b.Cast(DType::kFloat32);
        for (int64_t k = 0; k < 7; ++k)
          sum += static_cast<double>(fa.data<float>()[transpose_a ? k * 5 : k]) *
                 fb.data<float>()[transpose_b ? k : k * 4];
        EXPECT_NEAR(Values(plain)[0], sum, dtype() == DType::kFloat32 ? 1e-5 : 0.1);
      }
}

TEST_P(ShapeKernelsTest, LargeTensorsAreSplitBetweenThreads) {
  const Tensor x = testing::RandomTensor(dtype(), {3, 50, 41, 7}, 1);
  Tensor y = Out({3, 50, 41});
  backend_->Reduce({Reduction::kMean, x.shape(), {false, false, false, true}, dtype()}, x.raw(), y.raw());
  Tensor wanted(DType::kFloat32, y.shape());
  const std::vector<float> values = Values(x);
  for (int64_t i = 0; i < wanted.size(); ++i) {
    double sum = 0;
    for (int64_t k = 0; k < 7; ++k) sum += static_cast<double>(values[static_cast<size_t>(i * 7 + k)]);
    wanted.data<float>()[i] = static_cast<float>(sum / 7);
  }
  testing::ExpectClose(y, wanted, testing::ToleranceOf(dtype()), "mean");
  Tensor tiled = Out({3, 50, 82, 7});
  backend_->Tile(x.shape(), {1, 1, 2, 1}, dtype(), x.raw(), tiled.raw());
  Tensor half = Out(x.shape());
  backend_->Slice({tiled.shape(), half.shape(), {0, 0, 41, 0}, {1, 1, 1, 1}, dtype()}, tiled.raw(), half.raw());
  testing::ExpectSameBits(half, x, "the second half of what was repeated");
}

TEST(Pointwise, FurtherFunctions) {
  const auto backend = MakeReferenceBackend();
  const std::vector<float> x = {-1.5f, 0.25f, 2};
  const std::pair<Pointwise, double (*)(double)> kinds[] = {
      {Pointwise::kErf, [](double v) { return std::erf(v); }},
      {Pointwise::kExpm1, [](double v) { return std::expm1(v); }},
      {Pointwise::kReciprocal, [](double v) { return 1 / v; }},
      {Pointwise::kTruncate, [](double v) { return std::trunc(v); }},
  };
  for (const auto& [kind, wanted] : kinds) {
    std::vector<float> y(x.size());
    backend->ApplyPointwise(kind, 0, 3, DType::kFloat32, x.data(), y.data());
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], wanted(x[i]), 1e-6) << static_cast<int>(kind);
  }
}

TEST(Binary, FurtherFunctions) {
  const auto backend = MakeReferenceBackend();
  const std::vector<float> a = {1, 2, 3}, b = {2, 2, 2};
  const auto applied = [&](Binary kind) {
    std::vector<float> y(3);
    backend->ApplyBinary({kind, {3}, {3}, {3}}, a.data(), b.data(), y.data());
    return y;
  };
  EXPECT_THAT(applied(Binary::kSquaredDifference), ElementsAre(1, 0, 1));
  EXPECT_THAT(applied(Binary::kPower), ElementsAre(1, 4, 9));
  EXPECT_THAT(applied(Binary::kLess), ElementsAre(1, 0, 0));
  EXPECT_THAT(applied(Binary::kLessEqual), ElementsAre(1, 1, 0));
  EXPECT_THAT(applied(Binary::kGreater), ElementsAre(0, 0, 1));
  EXPECT_THAT(applied(Binary::kGreaterEqual), ElementsAre(0, 1, 1));
}

}  // namespace
}  // namespace headrace::tensor
