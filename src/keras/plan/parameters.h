// Parameters: the trainable variables' values and gradients, each packed into one buffer.
#pragma once

#include <map>
#include <vector>

#include "keras/graph.h"
#include "keras/packed.h"

namespace headrace::keras::internal {

class Parameters {
 public:
  // Moves the variables' values into the packed buffer: Variable::value becomes a view of it. `gradients`: memory for
  // the packed gradients (see PackTensors), undefined for memory of their own.
  explicit Parameters(std::vector<VariablePtr> trainable, Tensor gradients = {});

  // Takes back the variables that another model, which shares layers with this one, has moved into a buffer of its own
  // since: with their values of now.
  void Claim();

  // Where the gradient of `variable` goes, null when it is not trained.
  float* gradient(const Variable* variable) const;
  // Index among the trainable variables, -1 when it is not one of them.
  int index(const Variable* variable) const;

  size_t count() const { return trainable_.size(); }
  const Tensor& values() const { return values_.buffer; }
  const Tensor& gradients() const { return gradients_.buffer; }
  const Tensor& gradient_view(size_t index) const { return gradients_.views[index]; }

 private:
  std::vector<VariablePtr> trainable_;
  PackedTensors values_, gradients_;
  std::map<const Variable*, int> index_;
};

}  // namespace headrace::keras::internal
