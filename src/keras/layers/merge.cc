// Merges of several inputs into one: element by element, or side by side. Add has a file of its own: an operation that
// other operations are fused with.
#include <algorithm>

#include "base/result.h"
#include "keras/layers/config.h"
#include "keras/operations/builder.h"

namespace headrace::keras {
namespace internal {
namespace {

using tensor::Binary;

class MergeState final : public LayerState {
 public:
  // average: divided by the number of inputs; most: inputs, 0 for any number.
  MergeState(const char* class_name, Binary kind, bool average, size_t most, LayerOptions options)
      : class_name_(class_name), kind_(kind), average_(average), most_(most) {
    name = std::move(options.name);
    input_shape = std::move(options.input_shape);
  }

  std::string ClassName() const override { return class_name_; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    if (inputs.size() < 2 || (most_ > 0 && inputs.size() > most_))
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} input{}, wanted a list of two{}", Label(),
                      inputs.size(), inputs.size() == 1 ? "" : "s", most_ > 0 ? "" : " or more");
    return ShapeOfBuilt(Label(), inputs,
                        [this](GraphBuilder& build, const std::vector<int>& values) { return Merge(build, values); });
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    GraphBuilder build(graph, name);
    return Merge(build, inputs);
  }

  nlohmann::json Config() const override { return nlohmann::json::object(); }

 private:
  int Merge(GraphBuilder& build, const std::vector<int>& inputs) const {
    int merged = inputs[0];
    for (size_t i = 1; i < inputs.size(); ++i) merged = build.Binary(kind_, merged, inputs[i]);
    return average_ ? build.Mul(merged, 1.0f / static_cast<float>(inputs.size())) : merged;
  }

  const char* class_name_;
  Binary kind_;
  bool average_;
  size_t most_;
};

class ConcatenateState final : public LayerState {
 public:
  explicit ConcatenateState(ConcatenateOptions options) : axis_(options.axis) {
    name = std::move(options.name);
    if (axis_ == 0)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: axis: found 0, the batch, wanted another one", Label());
  }

  std::string ClassName() const override { return "Concatenate"; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override {
    if (inputs.size() < 2)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} input, wanted a list of two or more", Label(),
                      inputs.size());
    return ShapeOfBuilt(Label(), inputs, [this](GraphBuilder& build, const std::vector<int>& values) {
      return build.Concat(values, axis_);
    });
  }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    return GraphBuilder(graph, name).Concat(inputs, axis_);
  }

  nlohmann::json Config() const override { return {{"axis", axis_}}; }

 private:
  int64_t axis_;
};

std::shared_ptr<LayerState> Merge(const char* class_name, LayerOptions options) {
  const std::string name = class_name;
  if (name == "Subtract") return std::make_shared<MergeState>(class_name, Binary::kSub, false, 2, std::move(options));
  const bool average = name == "Average";
  const Binary kind = average              ? Binary::kAdd
                      : name == "Multiply" ? Binary::kMul
                      : name == "Maximum"  ? Binary::kMaximum
                                           : Binary::kMinimum;
  return std::make_shared<MergeState>(class_name, kind, average, 0, std::move(options));
}

}  // namespace

std::shared_ptr<LayerState> SubtractFromConfig(const LayerConfig& c) { return Merge("Subtract", {.name = c.name()}); }
std::shared_ptr<LayerState> MultiplyFromConfig(const LayerConfig& c) { return Merge("Multiply", {.name = c.name()}); }
std::shared_ptr<LayerState> AverageFromConfig(const LayerConfig& c) { return Merge("Average", {.name = c.name()}); }
std::shared_ptr<LayerState> MaximumFromConfig(const LayerConfig& c) { return Merge("Maximum", {.name = c.name()}); }
std::shared_ptr<LayerState> MinimumFromConfig(const LayerConfig& c) { return Merge("Minimum", {.name = c.name()}); }
std::shared_ptr<LayerState> ConcatenateFromConfig(const LayerConfig& config) {
  return std::make_shared<ConcatenateState>(
      ConcatenateOptions{.axis = config.Get<int64_t>("axis", -1), .name = config.name()});
}

}  // namespace internal

Subtract::Subtract(LayerOptions o) : Layer(internal::Merge("Subtract", std::move(o))) {}
Multiply::Multiply(LayerOptions o) : Layer(internal::Merge("Multiply", std::move(o))) {}
Average::Average(LayerOptions o) : Layer(internal::Merge("Average", std::move(o))) {}
Maximum::Maximum(LayerOptions o) : Layer(internal::Merge("Maximum", std::move(o))) {}
Minimum::Minimum(LayerOptions o) : Layer(internal::Merge("Minimum", std::move(o))) {}
Concatenate::Concatenate(ConcatenateOptions o) : Layer(std::make_shared<internal::ConcatenateState>(std::move(o))) {}

}  // namespace headrace::keras
