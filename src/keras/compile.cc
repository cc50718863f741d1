#include "keras/compile.h"

#include <utility>

#include "base/result.h"
#include "keras/losses/loss_state.h"

namespace headrace::keras::internal {
namespace {

// Dense(1, "sigmoid") and a loss for several classes would train nothing.
void CheckLoss(const std::string& model, const Loss& loss, const Shape& output) {
  if (loss.state()->needs_classes && output.dims().back() == 1)
    throw MakeError(
        ErrorCode::kInvalidArgument,
        "{}: loss {}: found an output of shape {}, wanted one of two classes or more; one number a row goes "
        "with \"binary_crossentropy\"",
        model, loss.name(), output.ToString());
}

void CheckPolicy(const std::string& model, const std::string& policy) {
  if (policy != "float32" && policy != "mixed_bfloat16")
    throw MakeError(ErrorCode::kInvalidArgument, "{}: policy: found \"{}\", wanted \"float32\" or \"mixed_bfloat16\"",
                    model, policy);
}

}  // namespace

Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, std::vector<std::optional<Loss>> losses,
                      std::vector<float> loss_weights, std::vector<Column> columns, CompileOptions options) {
  bool any = false;
  for (size_t i = 0; i < losses.size(); ++i) {
    if (!losses[i]) continue;
    any = true;
    CheckLoss(model.name, *losses[i], model.outputs[i]->shape);
  }
  if (!any)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found no loss, wanted one for an output at least", model.name);
  CheckPolicy(model.name, options.policy);
  return {std::move(optimizer), std::move(losses),  std::move(loss_weights),
          std::move(columns),   std::move(options), model.WeightsToTrain()};
}

Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, Loss loss, const std::vector<Metric>& metrics,
                      CompileOptions options) {
  if (model.outputs.size() > 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found one loss for {} outputs, wanted one for each", model.name,
                    model.outputs.size());
  std::vector<Column> columns;
  for (const Metric& metric : metrics) columns.push_back({metric, metric.name()});
  return MakeCompiled(model, std::move(optimizer), {std::move(loss)}, {1.0f}, std::move(columns), std::move(options));
}

}  // namespace headrace::keras::internal
