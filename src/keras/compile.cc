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

std::vector<float> LossWeights(const ModelState& model, const std::vector<float>& given) {
  if (given.empty()) return std::vector<float>(model.outputs.size(), 1.0f);
  if (given.size() != model.outputs.size())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: loss_weights: found {} for {} outputs, wanted one for each",
                    model.name, given.size(), model.outputs.size());
  return given;
}

// Names that are in the logs twice would be one.
void RequireUniqueNames(const std::string& model, const std::vector<Column>& columns) {
  for (size_t i = 0; i < columns.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (columns[i].name == columns[k].name)
        throw MakeError(ErrorCode::kInvalidArgument, "{}: metrics: found \"{}\" twice, wanted a .name for one of them",
                        model, columns[i].name);
}

std::vector<Column> ColumnsFor(const ModelState& model, const std::vector<std::vector<Metric>>& metrics,
                               const std::vector<Metric>& weighted) {
  const bool several = model.outputs.size() > 1;
  if (several && !weighted.empty())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: weighted_metrics: found some, wanted them for one output only",
                    model.name);
  std::vector<Column> columns;
  for (size_t i = 0; i < metrics.size(); ++i)
    for (const Metric& metric : metrics[i]) {
      const std::string prefix = several ? model.outputs[i]->layer->name + "_" : "";
      columns.push_back({metric, prefix + metric.name(), i});
    }
  for (const Metric& metric : weighted) columns.push_back({metric, metric.name(), 0, true});
  RequireUniqueNames(model.name, columns);
  return columns;
}

}  // namespace

Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, std::vector<std::optional<Loss>> losses,
                      const std::vector<std::vector<Metric>>& metrics, CompileOptions options) {
  if (losses.size() != model.outputs.size() || metrics.size() > model.outputs.size())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found {} losses and {} lists of metrics for {} outputs, wanted one of each for an output",
                    model.name, losses.size(), metrics.size(), model.outputs.size());
  bool any = false;
  for (size_t i = 0; i < losses.size(); ++i) {
    if (!losses[i]) continue;
    any = true;
    CheckLoss(model.name, *losses[i], model.outputs[i]->shape);
  }
  if (!any)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found no loss, wanted one for an output at least", model.name);
  CheckPolicy(model.name, options.policy);
  std::vector<float> weights = LossWeights(model, options.loss_weights);
  std::vector<Column> columns = ColumnsFor(model, metrics, options.weighted_metrics);
  return {std::move(optimizer), std::move(losses),  std::move(weights),
          std::move(columns),   std::move(options), model.WeightsToTrain()};
}

Compiled MakeCompiled(const ModelState& model, Optimizer optimizer, Loss loss, const std::vector<Metric>& metrics,
                      CompileOptions options) {
  if (model.outputs.size() > 1)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found one loss for {} outputs, wanted one for each", model.name,
                    model.outputs.size());
  std::vector<std::optional<Loss>> losses;
  losses.emplace_back(std::move(loss));
  return MakeCompiled(model, std::move(optimizer), std::move(losses), std::vector<std::vector<Metric>>{metrics},
                      std::move(options));
}

size_t OutputNamed(const ModelState& model, const char* what, const std::string& name) {
  std::string names;
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    const std::string& known = model.outputs[i]->layer->name;
    if (known == name) return i;
    names += (names.empty() ? "" : ", ") + known;
  }
  throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found the name \"{}\", wanted one of the outputs {}",
                  model.name, what, name, names);
}

}  // namespace headrace::keras::internal
