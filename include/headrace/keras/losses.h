// headrace/keras/losses.h: Keras's losses. Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "headrace/keras/layer.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct LossState;
}  // namespace internal

struct LossOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};

// What training makes small: a number for each row of a batch (or for each of its places), reduced to one. Reductions:
// "sum_over_batch_size" (the mean of all numbers; "mean" says the same), "sum", "mean_with_sample_weight" (divided by
// the sum of the weights). Targets have the shape of the predictions, any rank; [n] goes with [n, 1]. Where the model
// ends in the softmax or sigmoid that a crossentropy belongs to, its logits are used and nothing is clipped, as in
// Keras 3.
class Loss {
 public:
  // Keras's names, "mean_squared_error", and short names, "mse", with their defaults.
  Loss(const char* name);
  Loss(const std::string& name) : Loss(name.c_str()) {}
  // One's own: a function of y_true and y_pred with the operations of headrace/ops.h. It gives a number for each row,
  // or for each of its places, or one number. y_true has any shape of as many rows, in float32. Named "loss" unless
  // options say otherwise.
  template <typename Function>
  requires(std::is_invocable_r_v<KerasTensor, Function, const KerasTensor&, const KerasTensor&>)
      Loss(Function function, LossOptions options = {})
      : Loss(OwnFunction{std::move(function)}, Own{}, std::move(options)) {}
  const std::string& name() const;

  const std::shared_ptr<const internal::LossState>& state() const { return state_; }

 protected:
  explicit Loss(std::shared_ptr<const internal::LossState> state) : state_(std::move(state)) {}

 private:
  using OwnFunction = std::function<KerasTensor(const KerasTensor&, const KerasTensor&)>;
  struct Own {};
  Loss(OwnFunction function, Own, LossOptions options);
  std::shared_ptr<const internal::LossState> state_;
};
class MeanSquaredError : public Loss {
 public:
  explicit MeanSquaredError(LossOptions options = {});
};
class MeanAbsoluteError : public Loss {
 public:
  explicit MeanAbsoluteError(LossOptions options = {});
};
class MeanAbsolutePercentageError : public Loss {
 public:
  explicit MeanAbsolutePercentageError(LossOptions options = {});
};
class MeanSquaredLogarithmicError : public Loss {
 public:
  explicit MeanSquaredLogarithmicError(LossOptions options = {});
};
class LogCosh : public Loss {
 public:
  explicit LogCosh(LossOptions options = {});
};
class Hinge : public Loss {  // this and SquaredHinge take labels of 0 and 1 as -1 and 1
 public:
  explicit Hinge(LossOptions options = {});
};
class SquaredHinge : public Loss {
 public:
  explicit SquaredHinge(LossOptions options = {});
};
class CategoricalHinge : public Loss {
 public:
  explicit CategoricalHinge(LossOptions options = {});
};
class KLDivergence : public Loss {
 public:
  explicit KLDivergence(LossOptions options = {});
};
class Poisson : public Loss {
 public:
  explicit Poisson(LossOptions options = {});
};
struct HuberOptions {
  float delta = 1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class Huber : public Loss {
 public:
  explicit Huber(HuberOptions options = {});
};
struct CosineSimilarityOptions {
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CosineSimilarity : public Loss {  // -1 for equal directions
 public:
  explicit CosineSimilarity(CosineSimilarityOptions options = {});
};
struct BinaryCrossentropyOptions {
  bool from_logits = false;
  float label_smoothing = 0;  // a: targets become t * (1 - a) + a / 2
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class BinaryCrossentropy : public Loss {
 public:
  explicit BinaryCrossentropy(BinaryCrossentropyOptions options = {});
};
struct BinaryFocalCrossentropyOptions {
  bool apply_class_balancing = false;
  float alpha = 0.25f, gamma = 2;
  bool from_logits = false;
  float label_smoothing = 0;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class BinaryFocalCrossentropy : public Loss {
 public:
  explicit BinaryFocalCrossentropy(BinaryFocalCrossentropyOptions options = {});
};
struct CategoricalCrossentropyOptions {
  bool from_logits = false;
  float label_smoothing = 0;  // a: targets become t * (1 - a) + a / classes
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CategoricalCrossentropy : public Loss {  // targets: rows of probabilities, [..., classes]
 public:
  explicit CategoricalCrossentropy(CategoricalCrossentropyOptions options = {});
};
struct CategoricalFocalCrossentropyOptions {
  float alpha = 0.25f, gamma = 2;
  bool from_logits = false;
  float label_smoothing = 0;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CategoricalFocalCrossentropy : public Loss {
 public:
  explicit CategoricalFocalCrossentropy(CategoricalFocalCrossentropyOptions options = {});
};
struct SparseCategoricalCrossentropyOptions {
  bool from_logits = false;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class SparseCategoricalCrossentropy : public Loss {  // targets: integers [...] or [..., 1], classes 0 …
 public:
  explicit SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions options = {});
};
struct CategoricalGeneralizedCrossEntropyOptions {
  float q = 0.5f;  // between 0 and 1
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CategoricalGeneralizedCrossEntropy : public Loss {  // targets as SparseCategoricalCrossentropy's
 public:
  explicit CategoricalGeneralizedCrossEntropy(CategoricalGeneralizedCrossEntropyOptions options = {});
};
struct DiceOptions {
  std::vector<int64_t> axis = {};  // none: all, the batch included
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class Dice : public Loss {
 public:
  explicit Dice(DiceOptions options = {});
};
struct TverskyOptions {
  float alpha = 0.5f, beta = 0.5f;
  std::vector<int64_t> axis = {};
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class Tversky : public Loss {
 public:
  explicit Tversky(TverskyOptions options = {});
};

}  // namespace headrace::keras
