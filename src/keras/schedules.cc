// Learning rate schedules. Every formula is Keras's, in float32 as TensorFlow computes it there, so that both take the
// same steps.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/result.h"
#include "keras/layers/config.h"
#include "keras/schedule_state.h"

namespace headrace::keras {
namespace {

using internal::ScheduleState;
using nlohmann::json;
using SchedulePtr = std::shared_ptr<const ScheduleState>;

SchedulePtr MakeSchedule(const char* class_name, json config, std::function<float(int64_t)> rate) {
  auto state = std::make_shared<ScheduleState>();
  state->class_name = class_name;
  state->config = std::move(config);
  state->rate = std::move(rate);
  return state;
}

void RequireSteps(const char* schedule, const char* argument, double value) {
  if (!(value > 0) || !std::isfinite(value))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted above 0", schedule, argument, value);
}

void RequireFinite(const char* schedule, const char* argument, double value) {
  if (!std::isfinite(value))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted a finite number", schedule, argument, value);
}

float F(double value) { return static_cast<float>(value); }

// How much of the decay is done: step / decay_steps.
float Done(int64_t step, float decay_steps, bool staircase) {
  const float done = static_cast<float>(step) / decay_steps;
  return staircase ? std::floor(done) : done;
}

json DecayConfig(const char* name, double initial, double steps, double rate, bool staircase) {
  return {{"initial_learning_rate", initial},
          {"decay_steps", steps},
          {"decay_rate", rate},
          {"staircase", staircase},
          {"name", name}};
}

SchedulePtr MakeExponential(double initial, double steps, double rate, bool staircase) {
  RequireFinite("ExponentialDecay", "initial_learning_rate", initial);
  RequireSteps("ExponentialDecay", "decay_steps", steps);
  RequireFinite("ExponentialDecay", "decay_rate", rate);
  return MakeSchedule("ExponentialDecay", DecayConfig("ExponentialDecay", initial, steps, rate, staircase),
                      [initial = F(initial), steps = F(steps), rate = F(rate), staircase](int64_t step) {
                        return initial * std::pow(rate, Done(step, steps, staircase));
                      });
}

SchedulePtr MakeInverseTime(double initial, double steps, double rate, bool staircase) {
  RequireFinite("InverseTimeDecay", "initial_learning_rate", initial);
  RequireSteps("InverseTimeDecay", "decay_steps", steps);
  RequireFinite("InverseTimeDecay", "decay_rate", rate);
  return MakeSchedule("InverseTimeDecay", DecayConfig("InverseTimeDecay", initial, steps, rate, staircase),
                      [initial = F(initial), steps = F(steps), rate = F(rate), staircase](int64_t step) {
                        return initial / (1.0f + rate * Done(step, steps, staircase));
                      });
}

SchedulePtr MakePiecewise(std::vector<int64_t> boundaries, std::vector<double> values) {
  if (boundaries.empty() || boundaries.size() + 1 != values.size())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "PiecewiseConstantDecay: found {} boundaries and {} values, wanted one boundary at least, and one "
                    "value more than boundaries",
                    boundaries.size(), values.size());
  if (!std::is_sorted(boundaries.begin(), boundaries.end()))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "PiecewiseConstantDecay: boundaries: found {} behind {}, wanted them "
                    "to rise",
                    *std::is_sorted_until(boundaries.begin(), boundaries.end()),
                    *(std::is_sorted_until(boundaries.begin(), boundaries.end()) - 1));
  for (const double value : values) RequireFinite("PiecewiseConstantDecay", "values", value);
  json config = {{"boundaries", boundaries}, {"values", values}, {"name", "PiecewiseConstant"}};
  return MakeSchedule("PiecewiseConstantDecay", std::move(config),
                      [boundaries = std::move(boundaries), values = std::move(values)](int64_t step) {
                        const auto at =
                            std::lower_bound(boundaries.begin(), boundaries.end(), step) - boundaries.begin();
                        return F(values[static_cast<size_t>(at)]);
                      });
}

SchedulePtr MakePolynomial(double initial, double steps, const PolynomialDecayOptions& o) {
  RequireFinite("PolynomialDecay", "initial_learning_rate", initial);
  RequireSteps("PolynomialDecay", "decay_steps", steps);
  RequireFinite("PolynomialDecay", "end_learning_rate", o.end_learning_rate);
  RequireFinite("PolynomialDecay", "power", o.power);
  json config = {{"initial_learning_rate", initial},
                 {"decay_steps", steps},
                 {"end_learning_rate", o.end_learning_rate},
                 {"power", o.power},
                 {"cycle", o.cycle},
                 {"name", "PolynomialDecay"}};
  return MakeSchedule("PolynomialDecay", std::move(config),
                      [initial = F(initial), steps = F(steps), end = F(o.end_learning_rate), power = F(o.power),
                       cycle = o.cycle](int64_t step) {
                        const auto at = static_cast<float>(step);
                        const float over = !cycle ? steps : steps * (step == 0 ? 1.0f : std::ceil(at / steps));
                        return (initial - end) * std::pow(1 - std::min(at, over) / over, power) + end;
                      });
}

float Cosine(float done) { return 0.5f * (1.0f + std::cos(std::numbers::pi_v<float> * done)); }

SchedulePtr MakeCosine(double initial, double steps, const CosineDecayOptions& o) {
  RequireFinite("CosineDecay", "initial_learning_rate", initial);
  RequireSteps("CosineDecay", "decay_steps", steps);
  RequireFinite("CosineDecay", "alpha", o.alpha);
  const bool warms_up = o.warmup_target.has_value();
  if (warms_up) RequireFinite("CosineDecay", "warmup_target", *o.warmup_target);
  if (!(o.warmup_steps >= 0) || !std::isfinite(o.warmup_steps))
    throw MakeError(ErrorCode::kInvalidArgument, "CosineDecay: warmup_steps: found {}, wanted 0 or more",
                    o.warmup_steps);
  json config = {{"initial_learning_rate", initial},
                 {"decay_steps", steps},
                 {"alpha", o.alpha},
                 {"name", "CosineDecay"},
                 {"warmup_target", warms_up ? json(*o.warmup_target) : json()},
                 {"warmup_steps", o.warmup_steps}};
  return MakeSchedule(
      "CosineDecay", std::move(config),
      [initial = F(initial), steps = F(steps), alpha = F(o.alpha), target = F(o.warmup_target.value_or(initial)),
       warmup = warms_up ? F(o.warmup_steps) : 0.0f](int64_t step) {
        const float at = std::min(static_cast<float>(step), steps + warmup);
        if (at < warmup) return (target - initial) * (at / warmup) + initial;
        return target * ((1 - alpha) * Cosine((at - warmup) / steps) + alpha);
      });
}

SchedulePtr MakeCosineRestarts(double initial, double steps, const CosineDecayRestartsOptions& o) {
  RequireFinite("CosineDecayRestarts", "initial_learning_rate", initial);
  RequireSteps("CosineDecayRestarts", "first_decay_steps", steps);
  RequireFinite("CosineDecayRestarts", "alpha", o.alpha);
  RequireFinite("CosineDecayRestarts", "m_mul", o.m_mul);
  if (!(o.t_mul >= 1) || !std::isfinite(o.t_mul))
    throw MakeError(ErrorCode::kInvalidArgument, "CosineDecayRestarts: t_mul: found {}, wanted 1 or more", o.t_mul);
  json config = {{"initial_learning_rate", initial},
                 {"first_decay_steps", steps},
                 {"t_mul", o.t_mul},
                 {"m_mul", o.m_mul},
                 {"alpha", o.alpha},
                 {"name", "SGDRDecay"}};
  return MakeSchedule("CosineDecayRestarts", std::move(config),
                      [initial = F(initial), steps = F(steps), t_mul = F(o.t_mul), m_mul = F(o.m_mul),
                       alpha = F(o.alpha)](int64_t step) {
                        float done = static_cast<float>(step) / steps, restarts = std::floor(done);
                        if (t_mul == 1) {
                          done -= restarts;
                        } else {  // the periods' lengths are a geometric series
                          restarts = std::floor(std::log(1.0f - done * (1.0f - t_mul)) / std::log(t_mul));
                          const float length = std::pow(t_mul, restarts);
                          done = (done - (1.0f - length) / (1.0f - t_mul)) / length;
                        }
                        return initial * ((1 - alpha) * (Cosine(done) * std::pow(m_mul, restarts)) + alpha);
                      });
}

SchedulePtr OwnSchedule(std::function<double(int64_t)> rate) {
  if (!rate) throw MakeError(ErrorCode::kInvalidArgument, "LearningRateSchedule: found an empty function");
  return MakeSchedule("", nullptr, [rate = std::move(rate)](int64_t step) {
    const double found = rate(step);
    if (!(found >= 0) || !std::isfinite(found))
      throw MakeError(ErrorCode::kInvalidArgument,
                      "LearningRateSchedule: step {}: found the rate {}, wanted a finite number of 0 or more", step,
                      found);
    return F(found);
  });
}

}  // namespace

LearningRateSchedule::LearningRateSchedule(std::function<double(int64_t step)> rate)
    : state_(OwnSchedule(std::move(rate))) {}
float LearningRateSchedule::operator()(int64_t step) const { return state_->rate(step); }

ExponentialDecay::ExponentialDecay(double initial_learning_rate, double decay_steps, double decay_rate,
                                   DecayOptions options)
    : LearningRateSchedule(MakeExponential(initial_learning_rate, decay_steps, decay_rate, options.staircase)) {}
InverseTimeDecay::InverseTimeDecay(double initial_learning_rate, double decay_steps, double decay_rate,
                                   DecayOptions options)
    : LearningRateSchedule(MakeInverseTime(initial_learning_rate, decay_steps, decay_rate, options.staircase)) {}
PiecewiseConstantDecay::PiecewiseConstantDecay(std::vector<int64_t> boundaries, std::vector<double> values)
    : LearningRateSchedule(MakePiecewise(std::move(boundaries), std::move(values))) {}
PolynomialDecay::PolynomialDecay(double initial_learning_rate, double decay_steps, PolynomialDecayOptions options)
    : LearningRateSchedule(MakePolynomial(initial_learning_rate, decay_steps, options)) {}
CosineDecay::CosineDecay(double initial_learning_rate, double decay_steps, CosineDecayOptions options)
    : LearningRateSchedule(MakeCosine(initial_learning_rate, decay_steps, options)) {}
CosineDecayRestarts::CosineDecayRestarts(double initial_learning_rate, double first_decay_steps,
                                         CosineDecayRestartsOptions options)
    : LearningRateSchedule(MakeCosineRestarts(initial_learning_rate, first_decay_steps, options)) {}

namespace internal {
namespace {

std::optional<double> WarmupTarget(const json& config) {
  const auto found = config.find("warmup_target");
  return found == config.end() || found->is_null() ? std::nullopt : std::optional<double>(found->get<double>());
}

}  // namespace

json ScheduleJson(const LearningRateSchedule& schedule) {
  const ScheduleState& state = *schedule.state();
  if (state.class_name.empty()) return nullptr;
  return {{"module", "keras.optimizers.schedules"},
          {"class_name", state.class_name},
          {"config", state.config},
          {"registered_name", nullptr}};
}

std::optional<LearningRateSchedule> ScheduleFromJson(const json& schedule) {
  const std::string name = schedule.at("class_name").get<std::string>();
  const json& c = schedule.at("config");
  const auto initial = [&] { return c.at("initial_learning_rate").get<double>(); };
  const auto steps = [&] { return c.at("decay_steps").get<double>(); };
  if (name == "ExponentialDecay")
    return ExponentialDecay(initial(), steps(), c.at("decay_rate"), {.staircase = c.value("staircase", false)});
  if (name == "InverseTimeDecay")
    return InverseTimeDecay(initial(), steps(), c.at("decay_rate"), {.staircase = c.value("staircase", false)});
  if (name == "PiecewiseConstantDecay") return PiecewiseConstantDecay(c.at("boundaries"), c.at("values"));
  if (name == "PolynomialDecay")
    return PolynomialDecay(initial(), steps(),
                           {.end_learning_rate = Number<double>(c, "end_learning_rate", 0.0001),
                            .power = Number<double>(c, "power", 1),
                            .cycle = c.value("cycle", false)});
  if (name == "CosineDecay")
    return CosineDecay(initial(), steps(),
                       {.alpha = Number<double>(c, "alpha", 0),
                        .warmup_target = WarmupTarget(c),
                        .warmup_steps = Number<double>(c, "warmup_steps", 0)});
  if (name == "CosineDecayRestarts")
    return CosineDecayRestarts(initial(), c.at("first_decay_steps"),
                               {.t_mul = Number<double>(c, "t_mul", 2),
                                .m_mul = Number<double>(c, "m_mul", 1),
                                .alpha = Number<double>(c, "alpha", 0)});
  return std::nullopt;
}

}  // namespace internal
}  // namespace headrace::keras
