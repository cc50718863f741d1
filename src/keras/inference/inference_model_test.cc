#include "keras/inference/inference_model.h"

#include <cmath>

#include <gtest/gtest.h>

#include "keras/engine.h"
#include "keras/inference/optimize.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

Tensor Numbers(Shape shape, uint32_t seed) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    tensor.data<float>()[i] = static_cast<float>(seed >> 8) * 0x1p-24f - 0.5f;
  }
  return tensor;
}

VariablePtr Weight(Shape shape, uint32_t seed) {
  return std::make_shared<Variable>(Variable{"w" + std::to_string(seed), true, Numbers(std::move(shape), seed)});
}

std::vector<VariablePtr> NormWeights(int64_t channels, uint32_t seed) {
  std::vector<VariablePtr> weights;
  for (uint32_t i = 0; i < 4; ++i) weights.push_back(Weight({channels}, seed + i));
  for (int64_t c = 0; c < channels; ++c) weights[3]->value.data<float>()[c] += 1;
  return weights;
}

float LargestDifference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  float largest = 0;
  for (int64_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a.data<float>()[i] - b.data<float>()[i]));
  return largest;
}

// Two branches with everything that only inference has: a depthwise and a grouped convolution, padding, BN and ReLU6
// to fold, average pooling, a product that repeats, concatenation, a transposition, two outputs.
Graph MixedGraph() {
  Graph g;
  const int x = g.Append({InputOp{}, "x", {}, {-1, 9, 8, 4}, {}});
  const int pad = g.Append({ZeroPadOp{0, 1, 0, 1}, "pad", {x}, {-1, 10, 9, 4}, {}});
  Conv2DOp depthwise{.stride_h = 2, .stride_w = 2, .use_bias = false, .groups = 4};
  const int dw = g.Append({depthwise, "dw", {pad}, {-1, 4, 4, 8}, {Weight({3, 3, 1, 8}, 1)}});
  const int norm = g.Append({BatchNormOp{}, "norm", {dw}, {-1, 4, 4, 8}, NormWeights(8, 10)});
  const int relu6 = g.Append({PointwiseOp{tensor::Pointwise::kRelu6}, "relu6", {norm}, {-1, 4, 4, 8}, {}});
  const int grouped =
      g.Append({Conv2DOp{.groups = 2}, "grouped", {relu6}, {-1, 4, 4, 6}, {Weight({1, 1, 4, 6}, 2), Weight({6}, 3)}});
  const int relu = g.Append({ActivationOp{tensor::Activation::kRelu}, "relu", {grouped}, {-1, 4, 4, 6}, {}});
  const int pool = g.Append({AveragePoolOp{3, 3, 1, 1, 1, 1, 1, 1}, "pool", {relu}, {-1, 4, 4, 6}, {}});
  const int mean = g.Append({GlobalAveragePoolOp{}, "mean", {pool}, {-1, 1, 1, 6}, {}});
  const int product = g.Append({BinaryOp{tensor::Binary::kMul}, "product", {pool, mean}, {-1, 4, 4, 6}, {}});
  const int both = g.Append({ConcatOp{3}, "both", {product, relu6}, {-1, 4, 4, 14}, {}});
  const int turned = g.Append({TransposeOp{{0, 3, 1, 2}}, "turned", {both}, {-1, 14, 4, 4}, {}});
  g.Append({FlattenOp{}, "unused", {turned}, {-1, 224}, {}});
  g.output = turned;
  g.more_outputs = {mean};
  return g;
}

TEST(Inference, FoldedAndUnfoldedGraphsAgreeOnBothBackEnds) {
  const Graph graph = MixedGraph();
  const Graph optimized = internal::Optimize(graph);
  EXPECT_EQ(optimized.values.size(), graph.values.size() - 5);  // pad, norm, relu6, relu and what is unused
  const Tensor x = Numbers({5, 9, 8, 4}, 77);
  // The oracle: the graph as it is, on plain loops.
  const auto reference = std::shared_ptr<const tensor::Backend>(tensor::MakeReferenceBackend());
  internal::ConvChooser chooser(*reference, "direct");
  tensor::PackedWeights weights;
  internal::PlanOptions options{.batch = 5};
  options.fixed_weights = &weights;
  internal::Plan plan(graph, *reference, nullptr, chooser, options);
  plan.Run({x}, {});
  const Tensor turned = Tensor::View(DType::kFloat32, {5, 14, 4, 4}, plan.output(0), nullptr);
  const Tensor mean = Tensor::View(DType::kFloat32, {5, 1, 1, 6}, plan.output(1), nullptr);

  for (const bool onednn : {false, true}) {
    const std::shared_ptr<const tensor::Backend> backend =
        onednn ? tensor::MakeOneDnnBackend() : tensor::MakeReferenceBackend();
    InferenceRunner runner(std::make_shared<InferenceModel>(graph, backend));
    const auto outputs = runner.Run({x});
    ASSERT_EQ(outputs.size(), 2u);
    EXPECT_LT(LargestDifference(outputs[0], turned), 1e-5f) << onednn;
    EXPECT_LT(LargestDifference(outputs[1], mean), 1e-5f) << onednn;
  }
}

TEST(Inference, EveryBatchSizeGivesTheRowsOfItsOwn) {
  const std::shared_ptr<const tensor::Backend> backend = tensor::MakeOneDnnBackend();
  InferenceOptions options;
  options.max_piece = 4;
  const auto model = std::make_shared<InferenceModel>(MixedGraph(), backend, options);
  InferenceRunner runner(model);
  const Tensor x = Numbers({11, 9, 8, 4}, 78);
  const Tensor all = runner.Run({x})[0];
  for (int64_t row = 0; row < 11; ++row)
    EXPECT_LT(LargestDifference(runner.Run({x.Slice(row, row + 1)})[0], all.Slice(row, row + 1)), 1e-5f) << row;
}

TEST(Inference, PiecesShrinkWithTheModel) {
  const std::shared_ptr<const tensor::Backend> backend = tensor::MakeReferenceBackend();
  InferenceOptions options;
  EXPECT_EQ(InferenceModel(MixedGraph(), backend, options).max_piece(), 256);
  options.max_piece_bytes = 20000;  // a row's largest value: 10 x 9 x 4 floats
  EXPECT_EQ(InferenceModel(MixedGraph(), backend, options).max_piece(), 8);
  options.max_piece_bytes = 1;
  EXPECT_EQ(InferenceModel(MixedGraph(), backend, options).max_piece(), 1);
}

}  // namespace
}  // namespace headrace::keras
