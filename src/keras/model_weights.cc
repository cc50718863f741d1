// Weights of a model or a layer as copies, and back.
#include <cstring>

#include "base/result.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

using Variables = std::vector<std::shared_ptr<Variable>>;

std::vector<Tensor> CopiesOf(const Variables& variables) {
  std::vector<Tensor> copies;
  for (const auto& variable : variables) copies.push_back(variable->value.Clone());
  return copies;
}

void Set(const std::string& of, const Variables& variables, const std::vector<Tensor>& values) {
  if (values.size() != variables.size())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: set_weights: found {} weights, wanted {}", of, values.size(),
                    variables.size());
  std::vector<Tensor> fitting;
  for (size_t i = 0; i < values.size(); ++i) {
    const Shape& wanted = variables[i]->value.shape();
    if (!values[i].defined() || values[i].shape() != wanted)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: set_weights: found {} for {}, wanted shape {}", of,
                      values[i].defined() ? "shape " + values[i].shape().ToString() : "no tensor", variables[i]->name,
                      wanted.ToString());
    fitting.push_back(values[i].Cast(DType::kFloat32));
  }
  for (size_t i = 0; i < fitting.size(); ++i)
    std::memcpy(variables[i]->value.raw(), fitting[i].raw(), fitting[i].bytes());
}

}  // namespace

std::vector<Tensor> Model::get_weights() const { return CopiesOf(weights()); }
void Model::set_weights(const std::vector<Tensor>& values) { Set(name(), weights(), values); }

std::vector<Tensor> Layer::get_weights() const { return CopiesOf(weights()); }
void Layer::set_weights(const std::vector<Tensor>& values) { Set(name(), weights(), values); }

}  // namespace headrace::keras
