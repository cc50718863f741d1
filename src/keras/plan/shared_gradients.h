// The gradients of variables that several steps read, those of a layer that is called more than once: the sum over its
// calls. In the backward pass the step that comes first (the last of the forward pass) writes the variable's gradient,
// each of the others writes a part, which is then added, in the same order every time.
#pragma once

#include <vector>

#include "headrace/tensor.h"

#include "keras/plan/fuse.h"
#include "keras/plan/parameters.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

class SharedGradients {
 public:
  // parameters: null when nothing is trained. They outlive this.
  SharedGradients(const FusedGraph& fused, const Parameters* parameters);

  // Where step `step` writes the gradient of `variable`; null when no other step reads it.
  float* Target(const Variable* variable, int step) const;

  // After the backward pass of step `step`: adds what it has written.
  void Add(int step, const tensor::Backend& backend) const;
  // The trainable variables' numbers whose gradients are final then, of those that are shared.
  const std::vector<size_t>& Final(int step) const;

 private:
  struct Shared {
    const Variable* variable = nullptr;
    size_t index = 0;  // among the trainable variables
    float* sum = nullptr;
    Tensor part;
    std::vector<int> readers;  // steps, ascending
  };
  struct AtStep {
    std::vector<size_t> parts;  // of shared_, to add
    std::vector<size_t> final;
  };
  std::vector<Shared> shared_;
  std::vector<AtStep> steps_;  // empty when nothing is shared
  const std::vector<size_t> none_;
};

}  // namespace headrace::keras::internal
