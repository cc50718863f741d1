// WeightCopy: the values of a model's weights at one moment.
#pragma once

#include <vector>

#include "headrace/keras.h"

namespace headrace::keras::internal {

class WeightCopy {
 public:
  bool empty() const { return values_.empty(); }
  void Clear() { values_.clear(); }
  void Keep(const Model& model);
  void Restore(Model& model) const;  // the model that was kept

 private:
  std::vector<Tensor> values_;
};

}  // namespace headrace::keras::internal
