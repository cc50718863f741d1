// The gradient of nearly every operation that has one as operations, against central differences: one line declares a
// case.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keras/operations/builder.h"
#include "keras/packed.h"
#include "keras/plan/parameters.h"
#include "keras/plan/plan.h"
#include "tensor/kernel_testing.h"

namespace headrace::keras::internal {
namespace {

using tensor::Binary;
using tensor::Pointwise;
using tensor::Reduction;

struct Case {
  const char* name;
  std::function<int(GraphBuilder& b, int x, int y)> build;  // of x [2, 3, 4] and y [3, 1]
  bool positive = false;                                    // what x and y must be
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

Case OfPointwise(const char* name, Pointwise kind, bool positive = false, float alpha = 0) {
  return {name, [=](GraphBuilder& b, int x, int) { return b.Pointwise(kind, x, alpha); }, positive};
}
Case OfBinary(const char* name, Binary kind, bool positive = false) {
  return {name, [=](GraphBuilder& b, int x, int y) { return b.Binary(kind, x, y); }, positive};
}
Case OfReduction(const char* name, Reduction kind, std::vector<int64_t> axes, bool keepdims = false) {
  return {name, [=](GraphBuilder& b, int x, int) { return b.Reduce(kind, x, axes, keepdims); }};
}

std::vector<Case> Cases() {
  return {
      OfPointwise("Relu6", Pointwise::kRelu6),
      OfPointwise("LeakyRelu", Pointwise::kLeakyRelu, false, 0.3f),
      OfPointwise("Selu", Pointwise::kSelu),
      OfPointwise("Softplus", Pointwise::kSoftplus),
      OfPointwise("Softsign", Pointwise::kSoftsign),
      OfPointwise("Exp", Pointwise::kExp),
      OfPointwise("Log", Pointwise::kLog, true),
      OfPointwise("Square", Pointwise::kSquare),
      OfPointwise("Sqrt", Pointwise::kSqrt, true),
      OfPointwise("Rsqrt", Pointwise::kRsqrt, true),
      OfPointwise("Neg", Pointwise::kNeg),
      OfPointwise("Abs", Pointwise::kAbs),
      OfPointwise("Erf", Pointwise::kErf),
      OfPointwise("Expm1", Pointwise::kExpm1),
      OfPointwise("Log1p", Pointwise::kLog1p, true),
      OfPointwise("Reciprocal", Pointwise::kReciprocal, true),
      OfPointwise("Sin", Pointwise::kSin),
      OfPointwise("Cos", Pointwise::kCos),
      OfBinary("Add", Binary::kAdd),
      OfBinary("Sub", Binary::kSub),
      OfBinary("Mul", Binary::kMul),
      OfBinary("Div", Binary::kDiv, true),
      OfBinary("Maximum", Binary::kMaximum),
      OfBinary("Minimum", Binary::kMinimum),
      OfBinary("SquaredDifference", Binary::kSquaredDifference),
      OfBinary("Power", Binary::kPower, true),
      {"ConstantBehind", [](GraphBuilder& b, int x, int) { return b.Binary(Binary::kPower, x, 2.5f); }, true},
      {"ConstantInFront", [](GraphBuilder& b, int x, int) { return b.Binary(Binary::kDiv, 2.0f, x); }, true},
      {"Select", [](GraphBuilder& b, int x, int y) { return b.Select(b.Binary(Binary::kLess, x, y), b.Mul(x, x), y); }},
      OfReduction("Sum", Reduction::kSum, {1}),
      OfReduction("SumOfAll", Reduction::kSum, {0, 1, 2}),
      OfReduction("MeanKept", Reduction::kMean, {0, -1}, true),
      OfReduction("Max", Reduction::kMaximum, {2}),
      OfReduction("Min", Reduction::kMinimum, {0, 1}),
      {"Activation", [](GraphBuilder& b, int x, int) { return b.Activation(tensor::Activation::kSoftmax, x); }},
      {"Reshape",
       [](GraphBuilder& b, int x, int) {
         return b.Reshape(x, {6, 4});
       }},
      {"Transpose",
       [](GraphBuilder& b, int x, int) {
         return b.Transpose(x, {1, 2, 0});
       }},
      {"Concat",
       [](GraphBuilder& b, int x, int) {
         return b.Concat({x, b.Mul(x, x), x}, 1);
       }},
      {"Slice",
       [](GraphBuilder& b, int x, int) {
         return b.Slice(x, {0, 1, 1}, {2, 1, 2}, {1, 1, 1});
       }},
      {"SliceBackwards",
       [](GraphBuilder& b, int x, int) {
         return b.Slice(x, {0, 2, 3}, {2, 2, 2}, {1, -2, -2});
       }},
      {"Unslice",
       [](GraphBuilder& b, int x, int) {
         return b.Unslice(x, {0, 1, 6}, {2, 5, 7}, {1, 1, -2});
       }},
      {"MatMulOfOneMatrix",
       [](GraphBuilder& b, int x, int y) {
         return b.MatMul(x, b.MatMul(b.Reshape(x, {2, 4, 3}), y));  // [2, 3, 4] times [2, 4, 1]
       }},
      {"MatMulRepeated",
       [](GraphBuilder& b, int x, int y) {
         return b.MatMul(b.Reshape(y, {1, 1, 3}), x);
       }},
      {"MatMulTransposed",
       [](GraphBuilder& b, int x, int) { return b.MatMul(b.MatMul(x, x, true, false), x, true, true); }},
      {"MatMulTransposedBehind",
       [](GraphBuilder& b, int x, int y) {
         return b.MatMul(b.MatMul(y, y, false, true), b.MatMul(x, x, false, true), true, false);
       }},
      {"Gather",
       [](GraphBuilder& b, int x, int) {
         const Tensor numbers = Tensor::FromVector(std::vector<float>{1, 1, 5, 0}, {2, 2});
         return b.Gather(b.Reshape(x, {6, 4}), b.Constant(numbers, DType::kFloat32));
       }},
      {"ScatterSum",
       [](GraphBuilder& b, int x, int) {
         const Tensor numbers = Tensor::FromVector(std::vector<float>{1, 1, 3, 0, 4, 1}, {2, 3});
         return b.ScatterSum(b.Constant(numbers, DType::kFloat32), x, 5);
       }},
      {"Tile",
       [](GraphBuilder& b, int x, int) {
         return b.Tile(x, {2, 1, 3});
       }},
      {"BroadcastTo",
       [](GraphBuilder& b, int, int y) {
         return b.BroadcastTo(y, {2, 3, 5});
       }},
      {"SumTo",
       [](GraphBuilder& b, int x, int) {
         return b.SumTo(x, {3, 1});
       }},
      // What many read, one of them twice.
      {"Shared",
       [](GraphBuilder& b, int x, int y) {
         const int sum = b.Add(x, y);
         return b.Mul(b.Add(sum, sum), b.Sub(sum, b.Mul(x, sum)));
       }},
  };
}

class OperationGradient : public testing::TestWithParam<Case> {};

TEST_P(OperationGradient, AgreesWithDifferences) {
  std::vector<VariablePtr> variables;
  uint32_t seed = 3;
  for (const Shape& shape : {Shape{2, 3, 4}, Shape{3, 1}}) {
    Tensor value = tensor::testing::RandomTensor(DType::kFloat32, shape, ++seed);
    if (GetParam().positive)
      for (int64_t i = 0; i < value.size(); ++i) value.data<float>()[i] = 0.5f + std::abs(value.data<float>()[i]);
    variables.push_back(std::make_shared<Variable>(Variable{"v", true, value}));
  }
  Parameters parameters(variables);
  Graph graph;
  GraphBuilder build(graph, "test");
  build.Input({-1, 1}, DType::kFloat32);
  const int result = GetParam().build(build, build.Variable(variables[0]), build.Variable(variables[1]));
  // Each element counts by itself: the loss is the sum of result times other numbers.
  const Tensor factors = tensor::testing::RandomTensor(DType::kFloat32, build.shape(result), 9);
  graph.output = build.ReduceAll(Reduction::kSum, build.Mul(result, build.Constant(factors, DType::kFloat32)));
  const auto backend = tensor::MakeReferenceBackend();
  ConvChooser chooser(*backend, "direct");
  Plan plan(graph, *backend, &parameters, chooser, {.batch = 1, .training = true, .loss = graph.output});
  const auto loss = [&] {
    plan.Run({Tensor::Zeros(DType::kFloat32, {1, 1})}, {.training = true});
    return static_cast<double>(*static_cast<const float*>(plan.output(0)));
  };
  loss();
  for (size_t i = 0; i < variables.size(); ++i) {
    const Tensor gradient = parameters.gradient_view(i).Clone();
    for (int64_t k = 0; k < gradient.size(); ++k) {
      const double slope = tensor::testing::CentralDifference(variables[i]->value.data<float>()[k], loss, 2e-3);
      EXPECT_NEAR(gradient.data<float>()[k], slope, 5e-3 * std::max(1.0, std::abs(slope)))
          << "variable " << i << ", element " << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, OperationGradient, testing::ValuesIn(Cases()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(GraphBuilder, NamesWhatDoesNotFit) {
  Graph graph;
  GraphBuilder build(graph, "mine");
  const int x = build.Input({-1, 3}, DType::kFloat32), y = build.Input({-1, 4}, DType::kFloat32);
  const auto message = [](const auto& make) {
    try {
      make();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message([&] { build.Add(x, y); }), HasSubstr("mine: found operands of shapes (None, 3) and (None, 4)"));
  EXPECT_THAT(message([&] { build.Sum(x, {2}); }),
              HasSubstr("axis: found 2 for a value of shape (None, 3), wanted -2 to 1"));
  EXPECT_THAT(message([&] {
                build.Concat({x, y}, 0);
              }),
              HasSubstr("mine: found parts of shapes (None, 3) and (None, 4)"));
}

// Infinite times nothing would be not-a-number.
TEST(GraphBuilder, TheBranchNotTakenHasNoGradientOfAnInfiniteOne) {
  std::vector<VariablePtr> variables;
  for (int i = 0; i < 2; ++i)
    variables.push_back(
        std::make_shared<Variable>(Variable{"v", true, Tensor::FromVector(std::vector<float>{1, 2}, {2})}));
  Parameters parameters(variables);
  Graph graph;
  GraphBuilder build(graph, "test");
  build.Input({-1, 1}, DType::kFloat32);
  const int x = build.Variable(variables[0]), y = build.Variable(variables[1]);
  const int chosen = build.Select(build.Binary(Binary::kGreater, x, 1.5f), x, y);
  const float infinite = std::numeric_limits<float>::infinity();
  const Tensor factors = Tensor::FromVector(std::vector<float>{infinite, infinite}, {2});
  graph.output = build.ReduceAll(Reduction::kSum, build.Mul(chosen, build.Constant(factors, DType::kFloat32)));
  const auto backend = tensor::MakeReferenceBackend();
  ConvChooser chooser(*backend, "direct");
  Plan plan(graph, *backend, &parameters, chooser, {.batch = 1, .training = true, .loss = graph.output});
  plan.Run({Tensor::Zeros(DType::kFloat32, {1, 1})}, {.training = true});
  const float *dx = parameters.gradient_view(0).data<float>(), *dy = parameters.gradient_view(1).data<float>();
  EXPECT_EQ(dx[0], 0);
  EXPECT_EQ(dx[1], infinite);
  EXPECT_EQ(dy[0], infinite);
  EXPECT_EQ(dy[1], 0);
}

// An operation that has none, in front of something that is trained.
TEST(GraphBuilder, AComparisonHasNoGradient) {
  const auto variable =
      std::make_shared<Variable>(Variable{"v", true, Tensor::FromVector(std::vector<float>{1, 2}, {2})});
  Parameters parameters({variable});
  Graph graph;
  GraphBuilder build(graph, "test");
  build.Input({-1, 1}, DType::kFloat32);
  graph.output = build.ReduceAll(Reduction::kSum, build.Binary(Binary::kGreater, build.Variable(variable), 1.5f));
  const auto backend = tensor::MakeReferenceBackend();
  ConvChooser chooser(*backend, "direct");
  Plan plan(graph, *backend, &parameters, chooser, {.batch = 1, .training = true, .loss = graph.output});
  plan.Run({Tensor::Zeros(DType::kFloat32, {1, 1})}, {.training = true});
  EXPECT_EQ(*static_cast<const float*>(plan.output(0)), 1);
  EXPECT_EQ(parameters.gradient_view(0).data<float>()[0], 0);
}

}  // namespace
}  // namespace headrace::keras::internal
