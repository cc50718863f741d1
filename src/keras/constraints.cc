// Constraints: Keras's formulas over the norms of a weight along some of its axes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/result.h"
#include "keras/constraint_state.h"
#include "keras/layers/config.h"

namespace headrace::keras {
namespace {

using internal::ConstraintState;
using nlohmann::json;
using NormAxes = std::vector<int64_t>;
using ConstraintFunction = std::function<void(Tensor& weight)>;
using ConstraintPtr = std::shared_ptr<const ConstraintState>;

constexpr double kEpsilon = 1e-7;  // Keras's, so that a norm of 0 divides

ConstraintPtr MakeConstraint(const char* class_name, json config, ConstraintFunction apply) {
  return std::make_shared<const ConstraintState>(ConstraintState{class_name, std::move(config), std::move(apply)});
}

// How far apart two values' norms lie along each axis; 0 along those that a norm is over.
std::vector<int64_t> NormStrides(const Shape& shape, const NormAxes& axes) {
  std::vector<int64_t> strides(shape.rank());
  int64_t stride = 1;
  for (size_t axis = shape.rank(); axis-- > 0;) {
    const auto here = static_cast<int64_t>(axis), behind = here - static_cast<int64_t>(shape.rank());
    const bool over = std::any_of(axes.begin(), axes.end(), [&](int64_t a) { return a == here || a == behind; });
    strides[axis] = over ? 0 : stride;
    if (!over) stride *= shape[axis];
  }
  return strides;
}

// Calls body(value, number of its norm) for all values in their order.
template <typename Body>
void ForEachWithNorm(Tensor& weight, const std::vector<int64_t>& strides, const Body& body) {
  const Shape& shape = weight.shape();
  std::vector<int64_t> at(shape.rank());
  int64_t norm = 0;
  for (int64_t i = 0; i < weight.size(); ++i) {
    body(weight.data<float>()[i], static_cast<size_t>(norm));
    for (size_t axis = shape.rank(); axis-- > 0;) {
      norm += strides[axis];
      if (++at[axis] < shape[axis]) break;
      norm -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

void RequireAxes(const char* constraint, const Shape& shape, const NormAxes& axes) {
  const auto rank = static_cast<int64_t>(shape.rank());
  for (const int64_t axis : axes)
    if (axis < -rank || axis >= rank)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: axis: found {} for a weight of shape {}, wanted one of its axes", constraint, axis,
                      shape.ToString());
}

// Scales the values of each norm by factor(norm).
template <typename Factor>
ConstraintFunction ScaleByNorm(const char* constraint, NormAxes axes, Factor factor) {
  return [constraint, axes = std::move(axes), factor](Tensor& weight) {
    RequireAxes(constraint, weight.shape(), axes);
    const std::vector<int64_t> strides = NormStrides(weight.shape(), axes);
    std::vector<double> norms(static_cast<size_t>(weight.size()));
    ForEachWithNorm(weight, strides,
                    [&](float value, size_t norm) { norms[norm] += static_cast<double>(value) * value; });
    for (double& norm : norms) norm = factor(std::sqrt(norm));
    ForEachWithNorm(weight, strides,
                    [&](float& value, size_t norm) { value = static_cast<float>(value * norms[norm]); });
  };
}

// Keras writes one axis as a number.
json AxisConfig(const NormAxes& axes) { return axes.size() == 1 ? json(axes[0]) : json(axes); }

void RequireBounds(const char* constraint, double least, double most) {
  if (!(least >= 0) || !(most >= least) || !std::isfinite(most))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found bounds {} and {}, wanted 0 <= min_value <= max_value",
                    constraint, least, most);
}

ConstraintPtr MakeMaxNorm(MaxNormOptions o) {
  RequireBounds("MaxNorm", 0, o.max_value);
  json config = {{"max_value", o.max_value}, {"axis", AxisConfig(o.axis)}};
  return MakeConstraint("MaxNorm", std::move(config),
                        ScaleByNorm("MaxNorm", std::move(o.axis), [most = o.max_value](double norm) {
                          return std::min(norm, most) / (kEpsilon + norm);
                        }));
}

ConstraintPtr MakeMinMaxNorm(MinMaxNormOptions o) {
  RequireBounds("MinMaxNorm", o.min_value, o.max_value);
  if (!(o.rate >= 0 && o.rate <= 1))
    throw MakeError(ErrorCode::kInvalidArgument, "MinMaxNorm: rate: found {}, wanted 0 <= rate <= 1", o.rate);
  json config = {
      {"min_value", o.min_value}, {"max_value", o.max_value}, {"rate", o.rate}, {"axis", AxisConfig(o.axis)}};
  return MakeConstraint("MinMaxNorm", std::move(config),
                        ScaleByNorm("MinMaxNorm", std::move(o.axis),
                                    [least = o.min_value, most = o.max_value, rate = o.rate](double norm) {
                                      const double desired = rate * std::clamp(norm, least, most) + (1 - rate) * norm;
                                      return desired / (kEpsilon + norm);
                                    }));
}

ConstraintPtr MakeNonNeg() {
  return MakeConstraint("NonNeg", json::object(), [](Tensor& weight) {
    for (int64_t i = 0; i < weight.size(); ++i) weight.data<float>()[i] = std::max(weight.data<float>()[i], 0.0f);
  });
}

ConstraintPtr MakeUnitNorm(UnitNormOptions o) {
  json config = {{"axis", AxisConfig(o.axis)}};
  return MakeConstraint("UnitNorm", std::move(config),
                        ScaleByNorm("UnitNorm", std::move(o.axis), [](double norm) { return 1 / (kEpsilon + norm); }));
}

ConstraintPtr OwnConstraint(ConstraintFunction apply) {
  if (!apply) throw MakeError(ErrorCode::kInvalidArgument, "Constraint: found an empty function");
  return MakeConstraint("", nullptr, [apply = std::move(apply)](Tensor& weight) {
    Tensor changed = weight;  // the same memory, unless the function puts another tensor into its place
    apply(changed);
    if (changed.raw() == weight.raw()) return;
    if (!changed.defined() || changed.dtype() != DType::kFloat32 || changed.shape() != weight.shape())
      throw MakeError(ErrorCode::kInvalidArgument,
                      "Constraint: the function left {}, wanted a float32 tensor of the weight's shape {}",
                      changed.defined() ? "shape " + changed.shape().ToString() : "no tensor",
                      weight.shape().ToString());
    std::memcpy(weight.raw(), changed.raw(), weight.bytes());
  });
}

ConstraintPtr ConstraintByName(const std::string& name) {
  if (name == "max_norm") return MakeMaxNorm({});
  if (name == "min_max_norm") return MakeMinMaxNorm({});
  if (name == "non_neg") return MakeNonNeg();
  if (name == "unit_norm") return MakeUnitNorm({});
  throw MakeError(ErrorCode::kInvalidArgument,
                  "constraint: found \"{}\", wanted max_norm, min_max_norm, non_neg or unit_norm", name);
}

}  // namespace

Constraint::Constraint(const char* name) : state_(ConstraintByName(name)) {}
Constraint::Constraint(std::function<void(Tensor& weight)> apply) : state_(OwnConstraint(std::move(apply))) {}
void Constraint::operator()(Tensor& weight) const {
  if (state_) state_->apply(weight);
}

MaxNorm::MaxNorm(MaxNormOptions options) : Constraint(MakeMaxNorm(std::move(options))) {}
MinMaxNorm::MinMaxNorm(MinMaxNormOptions options) : Constraint(MakeMinMaxNorm(std::move(options))) {}
NonNeg::NonNeg() : Constraint(MakeNonNeg()) {}
UnitNorm::UnitNorm(UnitNormOptions options) : Constraint(MakeUnitNorm(std::move(options))) {}

namespace internal {
namespace {

// A number or a list of them.
NormAxes NormAxesFrom(const json& config) {
  const auto found = config.find("axis");
  if (found == config.end()) return {0};
  return found->is_array() ? found->get<NormAxes>() : NormAxes{found->get<int64_t>()};
}

}  // namespace

json ConstraintConfig(const Constraint& constraint) {
  if (!constraint || constraint.state()->class_name.empty()) return nullptr;
  return {{"module", "keras.constraints"},
          {"class_name", constraint.state()->class_name},
          {"config", constraint.state()->config},
          {"registered_name", nullptr}};
}

Constraint ConstraintFromJson(const std::string& what, const json& constraint) {
  if (constraint.is_null()) return {};
  if (constraint.is_string()) return Constraint(constraint.get<std::string>());
  const std::string name = constraint.at("class_name").get<std::string>();
  const json config = constraint.value("config", json::object());
  if (name == "MaxNorm")
    return MaxNorm({.max_value = Number<double>(config, "max_value", 2.0), .axis = NormAxesFrom(config)});
  if (name == "MinMaxNorm")
    return MinMaxNorm({.min_value = Number<double>(config, "min_value", 0.0),
                       .max_value = Number<double>(config, "max_value", 1.0),
                       .rate = Number<double>(config, "rate", 1.0),
                       .axis = NormAxesFrom(config)});
  if (name == "NonNeg") return NonNeg();
  if (name == "UnitNorm") return UnitNorm({.axis = NormAxesFrom(config)});
  throw MakeError(ErrorCode::kInvalidArgument, "{}: found {}, wanted MaxNorm, MinMaxNorm, NonNeg or UnitNorm", what,
                  name);
}

}  // namespace internal
}  // namespace headrace::keras
