#include "keras/symbolic/operation_layer.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace headrace::keras::internal {
namespace {

class OperationLayer final : public LayerState {
 public:
  OperationLayer(const char* operation, BuildOperation build) : operation_(operation), build_(std::move(build)) {}

  std::string ClassName() const override { return operation_; }

  Shape OutputShape(const std::vector<Shape>& inputs) const override { return ShapeOfBuilt(Label(), inputs, build_); }

  int Lower(Graph& graph, const std::vector<int>& inputs) const override {
    GraphBuilder build(graph, Label());
    return build_(build, inputs);
  }

  nlohmann::json Config() const override {
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: an operation of headrace/ops.h is a program's and has no place in a file's architecture: keep "
                    "the weights, save_weights(), and build the model again before load_weights()",
                    Label());
  }

 private:
  const char* operation_;
  BuildOperation build_;
};

// What has a shape and nothing else to say.
class Source : public LayerState {
 public:
  explicit Source(Shape shape) : shape_(std::move(shape)) {}
  Shape OutputShape(const std::vector<Shape>&) const override { return shape_; }
  nlohmann::json Config() const override { return nlohmann::json::object(); }

 protected:
  Shape shape_;
};

class WeightSource final : public Source {
 public:
  WeightSource(VariablePtr variable, Shape shape) : Source(std::move(shape)), variable_(std::move(variable)) {}
  std::string ClassName() const override { return "Weight"; }
  int Lower(Graph& graph, const std::vector<int>&) const override {
    return graph.Append({VariableOp{}, variable_->name, {}, shape_, {variable_}});
  }

 private:
  VariablePtr variable_;
};

class PlaceholderSource final : public Source {
 public:
  using Source::Source;
  std::string ClassName() const override { return "Placeholder"; }
  int Lower(Graph&, const std::vector<int>&) const override {
    throw MakeError(ErrorCode::kInvalidArgument,
                    "a value of one call is used in another: found an argument of a custom layer, loss or metric that "
                    "was kept, wanted it used in that call alone");
  }
};

}  // namespace

KerasTensor Apply(const char* name, const std::vector<KerasTensor>& inputs, BuildOperation build) {
  std::vector<std::shared_ptr<Node>> nodes;
  std::vector<Shape> shapes;
  for (const KerasTensor& input : inputs) {
    if (input.node() == nullptr)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found a KerasTensor that was never set", name);
    nodes.push_back(input.node());
    shapes.push_back(input.node()->shape);
  }
  auto layer = std::make_shared<OperationLayer>(name, std::move(build));
  Shape shape = layer->OutputShape(shapes);
  return KerasTensor(std::make_shared<Node>(Node{std::move(layer), std::move(nodes), std::move(shape)}));
}

KerasTensor WeightValue(const VariablePtr& variable, const Shape& shape) {
  return KerasTensor(std::make_shared<Node>(Node{std::make_shared<WeightSource>(variable, shape), {}, shape}));
}

std::shared_ptr<Node> Placeholder(const Shape& shape) {
  return std::make_shared<Node>(Node{std::make_shared<PlaceholderSource>(shape), {}, shape});
}

bool IsOperation(const LayerState& layer) { return dynamic_cast<const OperationLayer*>(&layer) != nullptr; }

}  // namespace headrace::keras::internal
