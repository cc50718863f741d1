// headrace/keras/constraints.h: what a weight is made to be behind every step. Names, defaults and formulas are Keras
// 3's.
//
// Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/tensor.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct ConstraintState;
}

class Constraint {
 public:
  Constraint() = default;        // none
  Constraint(const char* name);  // "max_norm", "min_max_norm", "non_neg", "unit_norm", with their defaults
  Constraint(const std::string& name) : Constraint(name.c_str()) {}
  // One of your own: changes the weight in place. A model's file does not keep it.
  explicit Constraint(std::function<void(Tensor& weight)> apply);

  explicit operator bool() const { return state_ != nullptr; }
  void operator()(Tensor& weight) const;

  const std::shared_ptr<const internal::ConstraintState>& state() const { return state_; }

 protected:
  explicit Constraint(std::shared_ptr<const internal::ConstraintState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const internal::ConstraintState> state_;
};

// Norms are over `axis`: over 0, those of the weights that lead to each unit of a Dense; {0, 1, 2} does it for a
// Conv2D.
struct MaxNormOptions {
  double max_value = 2;
  std::vector<int64_t> axis = {0};
};
class MaxNorm : public Constraint {
 public:
  explicit MaxNorm(MaxNormOptions options = {});
};
struct MinMaxNormOptions {
  double min_value = 0, max_value = 1;
  double rate = 1;  // 1: the norms are within the bounds at once; below: they come nearer by this share in each step
  std::vector<int64_t> axis = {0};
};
class MinMaxNorm : public Constraint {
 public:
  explicit MinMaxNorm(MinMaxNormOptions options = {});
};
class NonNeg : public Constraint {
 public:
  NonNeg();
};
struct UnitNormOptions {
  std::vector<int64_t> axis = {0};
};
class UnitNorm : public Constraint {
 public:
  explicit UnitNorm(UnitNormOptions options = {});
};

}  // namespace headrace::keras
