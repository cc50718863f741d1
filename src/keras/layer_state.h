// LayerState: what a Layer handle refers to. One file a layer in layers/; a layer says its name, its weights, its
// output shape, its Keras configuration, and how it lowers into the graph. Nothing else needs to know a layer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "headrace/keras.h"

#include "keras/graph.h"

namespace headrace::keras::internal {

struct WeightSpec {
  std::string name;  // "kernel"
  Shape shape;
  Initializer initializer = "zeros";
  bool trainable = true;
  Regularizer regularizer = {};
  Constraint constraint = {};
};

class LayerState {
 public:
  virtual ~LayerState() = default;

  virtual std::string ClassName() const = 0;  // "Conv2D"
  // Shape of the output, with the rows of the input in front; throws kInvalidArgument naming layer, shape found and
  // shape wanted.
  virtual Shape OutputShape(const std::vector<Shape>& inputs) const = 0;
  virtual std::vector<WeightSpec> Weights(const std::vector<Shape>& /*inputs*/) const { return {}; }
  // The variables of these weights: those of the first call, which later ones share.
  virtual std::vector<VariablePtr> MakeVariables(const std::vector<WeightSpec>& specs) const;
  // What the optimizer may move, as the layer says now.
  virtual std::vector<VariablePtr> TrainableWeights() const;
  // Appends the layer's operations to `graph` and returns the index of its output value.
  virtual int Lower(Graph& graph, const std::vector<int>& inputs) const = 0;
  // Keras's configuration of the layer, without name and trainable.
  virtual nlohmann::json Config() const = 0;

  std::string Label() const { return name.empty() ? ClassName() : name; }  // for messages

  std::string name;  // empty until the layer joins a model, unless given
  bool trainable = true;
  Regularizer activity_regularizer;  // of its output at each call
  Shape input_shape;                 // given to the first layer of a Sequential; without the batch
  std::vector<WeightSpec> specs;
  std::vector<VariablePtr> weights;  // in the order of `specs`; made by the first call

 protected:
  // Throws unless there is exactly one input of `rank` dimensions (0: any).
  const Shape& OneInput(const std::vector<Shape>& inputs, size_t rank, const char* wanted) const;
  // The activation of value `input` as a value of its own; `input` itself when it is linear.
  int AppendActivation(Graph& graph, int input, tensor::Activation activation) const;
};

// One call of a layer: a node of the functional graph.
struct Node {
  std::shared_ptr<LayerState> layer;
  std::vector<std::shared_ptr<Node>> inputs;
  Shape shape;  // of the output
};

// The source of a model's graph.
class InputLayer : public LayerState {
 public:
  explicit InputLayer(Shape shape);  // without the batch
  std::string ClassName() const override { return "InputLayer"; }
  Shape OutputShape(const std::vector<Shape>&) const override { return shape_; }
  int Lower(Graph& graph, const std::vector<int>& inputs) const override;
  nlohmann::json Config() const override;

 private:
  Shape shape_;  // [-1, …]
};

// Calls a layer: creates its weights (values undefined until the model initialises them) and checks shapes.
std::shared_ptr<Node> Call(const std::shared_ptr<LayerState>& layer, std::vector<std::shared_ptr<Node>> inputs);

// Fills `value`; `seed` and `stream` decide the numbers, unless the initializer has a seed of its own. Throws
// kInvalidArgument with the known names for an unknown one, and for a shape that it is not for.
void Initialize(const Initializer& initializer, uint64_t seed, uint64_t stream, Tensor& value);
// Throws kInvalidArgument unless its name is known.
void CheckInitializer(const std::string& layer, const Initializer& initializer);

// "relu" -> kRelu; throws kInvalidArgument with the layer's name and the known names.
tensor::Activation ActivationByName(const std::string& layer, const std::string& name);
const char* NameOfActivation(tensor::Activation activation);

// A layer from Keras's class_name and config, both versions' spellings; throws kInvalidArgument for unknown classes.
std::shared_ptr<LayerState> LayerFromConfig(const std::string& class_name, const nlohmann::json& config);

}  // namespace headrace::keras::internal
