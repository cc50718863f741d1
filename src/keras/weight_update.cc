#include "keras/weight_update.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "keras/optimizer_rules.h"

namespace headrace::keras::internal {
namespace {

std::vector<Shape> ShapesOf(const std::vector<VariablePtr>& variables) {
  std::vector<Shape> shapes;
  for (const VariablePtr& variable : variables) shapes.push_back(variable->value.shape());
  return shapes;
}

}  // namespace

WeightUpdate::WeightUpdate(const tensor::Backend& backend, OptimizerState& optimizer,
                           const std::vector<VariablePtr>& trainable, Tensor weights)
    : backend_(backend),
      optimizer_(optimizer),
      trainable_(trainable),
      weights_(std::move(weights)),
      ranges_(MakeRanges(trainable)) {
  for (const VariablePtr& variable : trainable)
    if (variable->constraint) constrained_.push_back(variable);
}

std::vector<WeightUpdate::Range> WeightUpdate::MakeRanges(const std::vector<VariablePtr>& trainable) const {
  const PackedLayout layout = LayOut(ShapesOf(trainable));
  const bool one_by_one = optimizer_.clipnorm > 0 || TakesVariablesOneByOne(optimizer_);
  std::vector<Range> ranges;
  for (size_t i = 0; i < trainable.size(); ++i) {
    const int64_t begin = layout.offsets[i], end = i + 1 < trainable.size() ? layout.offsets[i + 1] : layout.count;
    const Shape& shape = trainable[i]->value.shape();
    const bool decays = optimizer_.weight_decay != 0 && Decays(optimizer_, *trainable[i]);
    if (!one_by_one && !ranges.empty() && ranges.back().decays == decays)
      ranges.back().count = end - ranges.back().begin;
    else
      ranges.push_back({begin, one_by_one ? shape.size() : end - begin, i, shape, decays});
  }
  return ranges;
}

float* WeightUpdate::SlotData(const char* name) const {
  for (Slot& slot : optimizer_.slots)
    if (slot.name == name) return slot.values[0].data<float>();
  return nullptr;
}

// The sum of the gradients since the last step; null until there are enough.
const float* WeightUpdate::Accumulate(const float* gradients) {
  float* sum = SlotData(kAccumulatorSlot);
  backend_.Add(weights_.size(), DType::kFloat32, sum, gradients, sum);
  return (optimizer_.iterations + 1) % optimizer_.gradient_accumulation_steps == 0 ? sum : nullptr;
}

// What all gradients, scaled already, are scaled by as well. A norm that is not finite makes it, and all weights, NaN,
// as in Keras.
float WeightUpdate::GlobalScale(const float* gradients, float scale) const {
  const double clip = optimizer_.global_clipnorm;
  const double norm = scale * std::sqrt(backend_.SumOfSquares(weights_.size(), gradients));
  return static_cast<float>(clip * std::min(1 / norm, 1 / clip) + (norm - norm));
}

void WeightUpdate::Step(const float* gradients, float scale, const tensor::UpdateArgs& step) {
  for (const Range& range : ranges_) {
    tensor::UpdateArgs args = step;
    args.count = range.count;
    args.w = weights_.data<float>() + range.begin;
    args.g = gradients + range.begin;
    PointAtSlots(optimizer_, range.variable, args);
    SetMatrix(range.shape, args);
    if (args.average != nullptr) args.average += range.begin;
    args.scale = scale;
    if (optimizer_.clipnorm > 0) {
      const double norm = scale * std::sqrt(backend_.SumOfSquares(range.count, args.g));
      args.scale *= static_cast<float>(optimizer_.clipnorm / std::max<double>(norm, optimizer_.clipnorm));
    }
    args.clip = optimizer_.clipvalue;
    args.decay = range.decays ? optimizer_.weight_decay * RateOfStep(optimizer_) : 0;
    backend_.Update(args);
  }
}

// A step that changes no weight counts in their averages all the same.
void WeightUpdate::Average(tensor::UpdateArgs args) {
  args.rule = tensor::UpdateRule::kKeep;
  args.count = weights_.size();
  args.w = weights_.data<float>();
  args.g = args.w;  // read, and not used
  backend_.Update(args);
}

void WeightUpdate::OverwriteWithAverages() {
  const int64_t every = optimizer_.ema_overwrite_frequency;
  if (every == 0 || (UpdatesTaken(optimizer_) + 1) % every != 0) return;
  std::memcpy(weights_.raw(), SlotData(kAverageSlot), weights_.bytes());
}

void WeightUpdate::Apply(const float* gradients) {
  if (weights_.size() == 0) return;
  // Weights may have been set since the slots were made.
  if (optimizer_.iterations == 0) StartAsVariables(optimizer_, trainable_);
  tensor::UpdateArgs step = StepOf(optimizer_);
  if (optimizer_.use_ema) {
    step.average = SlotData(kAverageSlot);
    step.average_momentum = UpdatesTaken(optimizer_) == 0 ? 0 : optimizer_.ema_momentum;
  }
  float scale = 1;
  float* sum = nullptr;
  if (gradients != nullptr && optimizer_.gradient_accumulation_steps > 1) {
    gradients = Accumulate(gradients);
    sum = SlotData(kAccumulatorSlot);
    scale /= static_cast<float>(optimizer_.gradient_accumulation_steps);
  }
  if (gradients != nullptr) {
    if (optimizer_.global_clipnorm > 0) scale *= GlobalScale(gradients, scale);
    Step(gradients, scale, step);
    if (sum != nullptr) std::memset(sum, 0, weights_.bytes());
  } else if (step.average != nullptr) {
    Average(step);
  }
  if (optimizer_.use_ema) OverwriteWithAverages();
  for (const VariablePtr& variable : constrained_) variable->constraint(variable->value);
}

namespace {

// Null where the optimizer keeps none, or those of other variables.
std::vector<Tensor>* AveragesOf(OptimizerState& optimizer, const std::vector<VariablePtr>& trainable) {
  for (Slot& slot : optimizer.slots)
    if (slot.name == kAverageSlot && slot.values.size() == trainable.size()) return &slot.values;
  return nullptr;
}

}  // namespace

void SwapAverages(OptimizerState& optimizer, const std::vector<VariablePtr>& trainable) {
  std::vector<Tensor>* averages = AveragesOf(optimizer, trainable);
  if (averages == nullptr) return;
  for (size_t i = 0; i < trainable.size(); ++i) {
    auto* weight = static_cast<float*>(trainable[i]->value.raw());
    std::swap_ranges(weight, weight + trainable[i]->value.size(), (*averages)[i].data<float>());
  }
  optimizer.averages_in_weights = !optimizer.averages_in_weights;
}

void FinalizeWithAverages(OptimizerState& optimizer, const std::vector<VariablePtr>& trainable) {
  if (optimizer.iterations == 0) return;  // none yet
  if (std::vector<Tensor>* averages = AveragesOf(optimizer, trainable))
    for (size_t i = 0; i < trainable.size(); ++i) {
      void *weight = trainable[i]->value.raw(), *average = (*averages)[i].raw();
      if (optimizer.averages_in_weights)
        std::memcpy(average, weight, trainable[i]->value.bytes());
      else
        std::memcpy(weight, average, trainable[i]->value.bytes());
    }
  optimizer.averages_in_weights = false;
}

}  // namespace headrace::keras::internal
