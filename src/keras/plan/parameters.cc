#include "keras/plan/parameters.h"

#include <cstring>
#include <utility>

namespace headrace::keras::internal {
namespace {

std::vector<Shape> ShapesOf(const std::vector<VariablePtr>& variables) {
  std::vector<Shape> shapes;
  for (const auto& variable : variables) shapes.push_back(variable->value.shape());
  return shapes;
}

}  // namespace

Parameters::Parameters(std::vector<VariablePtr> trainable, Tensor gradients)
    : trainable_(std::move(trainable)),
      values_(PackTensors(ShapesOf(trainable_))),
      gradients_(PackTensors(ShapesOf(trainable_), std::move(gradients))) {
  for (size_t i = 0; i < trainable_.size(); ++i) index_[trainable_[i].get()] = static_cast<int>(i);
  Claim();
}

void Parameters::Claim() {
  for (size_t i = 0; i < trainable_.size(); ++i) {
    Tensor& view = values_.views[i];
    if (trainable_[i]->value.raw() == view.raw()) continue;
    std::memcpy(view.raw(), trainable_[i]->value.raw(), view.bytes());
    trainable_[i]->value = view;
  }
}

float* Parameters::gradient(const Variable* variable) const {
  const int i = index(variable);
  return i < 0 ? nullptr : const_cast<float*>(gradients_.views[i].data<float>());
}

int Parameters::index(const Variable* variable) const {
  const auto found = index_.find(variable);
  return found == index_.end() ? -1 : found->second;
}

}  // namespace headrace::keras::internal
