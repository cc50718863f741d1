// Where the matrices of a product of many lie, in elements.
#pragma once

#include "tensor/backend.h"
#include "tensor/plain_loops.h"

namespace headrace::tensor {

class Batches {
 public:
  explicit Batches(const MatMulDesc& desc)
      : count(desc.batch.size()),
        batch_(desc.batch),
        steps_a_(RepeatingSteps(desc.batch_a)),
        steps_b_(RepeatingSteps(desc.batch_b)),
        size_a_(desc.m * desc.k),
        size_b_(desc.k * desc.n) {}

  int64_t a(int64_t i) const { return Place(i, steps_a_) * size_a_; }
  int64_t b(int64_t i) const { return Place(i, steps_b_) * size_b_; }

  const int64_t count;

 private:
  int64_t Place(int64_t i, const std::vector<int64_t>& steps) const {
    int64_t place = 0;
    for (size_t axis = steps.size(); axis-- > 0;) {
      place += i % batch_[axis] * steps[axis];
      i /= batch_[axis];
    }
    return place;
  }

  Shape batch_;
  std::vector<int64_t> steps_a_, steps_b_;
  int64_t size_a_, size_b_;
};

}  // namespace headrace::tensor
