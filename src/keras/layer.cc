// The handles of the functional API: Layer, KerasTensor and Input().
#include "headrace/keras.h"

#include "base/result.h"
#include "keras/layer_state.h"

namespace headrace::keras {

using internal::Node;

const Shape& KerasTensor::shape() const {
  if (node_ == nullptr) throw MakeError(ErrorCode::kFailedPrecondition, "shape() of a KerasTensor that was never set");
  return node_->shape;
}

KerasTensor Input(Shape shape, std::string name) {
  auto layer = std::make_shared<internal::InputLayer>(std::move(shape));
  layer->name = std::move(name);
  Shape output = layer->OutputShape({});
  return KerasTensor(std::make_shared<Node>(Node{std::move(layer), {}, std::move(output)}));
}

KerasTensor Layer::operator()(const KerasTensor& input) const {
  return KerasTensor(internal::Call(state_, {input.node()}));
}

KerasTensor Layer::operator()(const std::vector<KerasTensor>& inputs) const {
  std::vector<std::shared_ptr<Node>> nodes;
  for (const KerasTensor& input : inputs) nodes.push_back(input.node());
  return KerasTensor(internal::Call(state_, std::move(nodes)));
}

const std::string& Layer::name() const { return state_->name; }
std::string Layer::class_name() const { return state_->ClassName(); }
std::vector<std::shared_ptr<Variable>> Layer::weights() const { return state_->weights; }
bool Layer::trainable() const { return state_->trainable; }
void Layer::set_trainable(bool trainable) { state_->trainable = trainable; }

}  // namespace headrace::keras
