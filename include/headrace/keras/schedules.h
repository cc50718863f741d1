// headrace/keras/schedules.h: learning rates that follow the number of steps. Formulas and defaults are Keras 3's;
// steps count from 0 and may be fractions where Keras takes them.
//
//   model.compile(SGD({.learning_rate = CosineDecay(0.1, 10000, {.warmup_target = 0.4, .warmup_steps = 500})}), "mse");
//
// Included by headrace/keras.h.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct ScheduleState;
}

class LearningRateSchedule {
 public:
  // One of your own: the rate of each step. A model's file keeps the optimizer's state with it, but not the function:
  // who loads the model compiles it again.
  explicit LearningRateSchedule(std::function<double(int64_t step)> rate);
  float operator()(int64_t step) const;

  const std::shared_ptr<const internal::ScheduleState>& state() const { return state_; }

 protected:
  explicit LearningRateSchedule(std::shared_ptr<const internal::ScheduleState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const internal::ScheduleState> state_;
};

struct DecayOptions {
  bool staircase = false;  // step / decay_steps is rounded down
};
// initial_learning_rate * decay_rate ^ (step / decay_steps)
class ExponentialDecay : public LearningRateSchedule {
 public:
  ExponentialDecay(double initial_learning_rate, double decay_steps, double decay_rate, DecayOptions options = {});
};
// initial_learning_rate / (1 + decay_rate * step / decay_steps)
class InverseTimeDecay : public LearningRateSchedule {
 public:
  InverseTimeDecay(double initial_learning_rate, double decay_steps, double decay_rate, DecayOptions options = {});
};
// values[0] up to and with step boundaries[0], values[1] up to and with boundaries[1], …; one value more than
// boundaries.
class PiecewiseConstantDecay : public LearningRateSchedule {
 public:
  PiecewiseConstantDecay(std::vector<int64_t> boundaries, std::vector<double> values);
};
struct PolynomialDecayOptions {
  double end_learning_rate = 0.0001;
  double power = 1;
  bool cycle = false;  // behind decay_steps it begins again, over the next multiple of decay_steps
};
// (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ^ power + end_learning_rate
class PolynomialDecay : public LearningRateSchedule {
 public:
  PolynomialDecay(double initial_learning_rate, double decay_steps, PolynomialDecayOptions options = {});
};
struct CosineDecayOptions {
  double alpha = 0;                                    // the last rate, as a fraction of the first
  std::optional<double> warmup_target = std::nullopt;  // first the rate rises to it in a line, and falls from it
  double warmup_steps = 0;                             // before the decay_steps
};
class CosineDecay : public LearningRateSchedule {
 public:
  CosineDecay(double initial_learning_rate, double decay_steps, CosineDecayOptions options = {});
};
struct CosineDecayRestartsOptions {
  double t_mul = 2;  // each period is so many times as long as the one before,
  double m_mul = 1;  // and begins at so many times its rate
  double alpha = 0;
};
class CosineDecayRestarts : public LearningRateSchedule {
 public:
  CosineDecayRestarts(double initial_learning_rate, double first_decay_steps, CosineDecayRestartsOptions options = {});
};

// What an optimizer takes: a rate, a schedule, or a function of the step.
class LearningRate {
 public:
  LearningRate(double rate) : rate_(static_cast<float>(rate)) {}
  LearningRate(LearningRateSchedule schedule) : schedule_(std::move(schedule)) {}
  template <typename Function>
  requires(std::is_invocable_r_v<double, Function, int64_t> && !std::derived_from<Function, LearningRateSchedule>)
      LearningRate(Function rate)
      : schedule_(LearningRateSchedule(std::function<double(int64_t)>(std::move(rate)))) {}

  float rate() const { return rate_; }  // where there is no schedule
  const std::optional<LearningRateSchedule>& schedule() const { return schedule_; }

 private:
  float rate_ = 0;
  std::optional<LearningRateSchedule> schedule_;
};

}  // namespace headrace::keras
