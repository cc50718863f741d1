// Losses and metrics of one's own: a function of two symbolic values, traced for the shapes of targets and predictions.
#include <utility>

#include "headrace/keras.h"

#include "base/result.h"
#include "keras/losses/loss_state.h"
#include "keras/metrics/functions.h"
#include "keras/symbolic/operation_layer.h"
#include "keras/symbolic/subgraph.h"

namespace headrace::keras {
namespace {

using OfTargets = std::function<KerasTensor(const KerasTensor&, const KerasTensor&)>;

void RequireCallable(const std::string& name, const OfTargets& function) {
  if (!function)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found an empty function, wanted one that can be called", name);
}

// What the function does with these two values, in their graph.
int Traced(const std::string& name, const OfTargets& function, GraphBuilder& build, int y_true, int y_pred) {
  const auto target = internal::Placeholder(build.shape(y_true));
  const auto prediction = internal::Placeholder(build.shape(y_pred));
  const KerasTensor result = function(KerasTensor(target), KerasTensor(prediction));
  const internal::Subgraph trace(name, {target, prediction}, {result.node()});
  return build.Cast(trace.Lower(build.graph(), {y_true, y_pred})[0], DType::kFloat32);
}

}  // namespace

Loss::Loss(OwnFunction function, Own, LossOptions options) {
  auto state = std::make_shared<internal::LossState>();
  state->name = options.name.empty() ? "loss" : std::move(options.name);
  RequireCallable(state->name, function);
  state->reduction = internal::LossReduction(state->name, options.reduction);
  state->values = [name = state->name, function = std::move(function)](GraphBuilder& build, int y_true, int y_pred) {
    return Traced(name, function, build, y_true, y_pred);
  };
  state_ = std::move(state);
}

Metric::Metric(OwnFunction function, Own, MetricOptions options) {
  const std::string name = options.name.empty() ? "metric" : std::move(options.name);
  RequireCallable(name, function);
  state_ = internal::FunctionMetric(
      name, [name, function = std::move(function)](GraphBuilder& build, int y_true, int y_pred) {
        const int target = build.Cast(internal::AlignTargets(build, y_true, y_pred), DType::kFloat32);
        return Traced(name, function, build, target, y_pred);
      });
}

}  // namespace headrace::keras
