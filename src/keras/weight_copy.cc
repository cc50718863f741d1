#include "keras/weight_copy.h"

#include <cstring>

namespace headrace::keras::internal {

void WeightCopy::Keep(const Model& model) {
  const auto weights = model.weights();
  values_.resize(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) values_[i] = weights[i]->value.Clone();
}

void WeightCopy::Restore(Model& model) const {
  const auto weights = model.weights();
  for (size_t i = 0; i < weights.size(); ++i) {
    std::memcpy(weights[i]->value.raw(), values_[i].raw(), values_[i].bytes());
  }
}

}  // namespace headrace::keras::internal
