#include "keras/fit/model_engine.h"

#include <algorithm>

#include "base/result.h"
#include "keras/fit/training_loop.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {

Engine& EngineOf(ModelState& state) {
  if (!state.engine) state.engine = std::make_unique<Engine>(state, tensor::MakeOneDnnBackend());
  return *state.engine;
}

Engine& CompiledEngineOf(ModelState& state, const char* call) {
  if (!state.compiled) {
    throw MakeError(ErrorCode::kFailedPrecondition,
                    "{}: model \"{}\" has no loss and no optimizer; call compile() before", call, state.name);
  }
  return EngineOf(state);
}

int VerbosityOf(const ModelState& state, int verbose) {
  return state.exchange() != nullptr && state.exchange()->rank() != 0 ? 0 : verbose;
}

std::vector<Tensor> Components(const ModelState& state, const char* call, const std::vector<Tensor>& x,
                               const std::vector<Tensor>& y, const Tensor& sample_weight) {
  if (x.size() != state.inputs.size() || y.size() != state.outputs.size())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} inputs and {} targets, wanted {} and {}", call, x.size(),
                    y.size(), state.inputs.size(), state.outputs.size());
  std::vector<Tensor> all = x;
  all.insert(all.end(), y.begin(), y.end());
  if (sample_weight.defined()) all.push_back(sample_weight);
  const auto rows = [](const Tensor& tensor) {
    return tensor.defined() && tensor.shape().rank() > 0 ? tensor.dim(0) : int64_t{0};
  };
  for (const Tensor& other : all)
    if (rows(all[0]) != rows(other) || rows(other) == 0)
      throw MakeError(ErrorCode::kInvalidArgument, "x {} and y {}: found {} and {} rows, wanted the same number, not 0",
                      all[0].shape().ToString(), other.shape().ToString(), rows(all[0]), rows(other));
  return all;
}

void GiveModel(Model& model, const char* call, const std::vector<CallbackPtr>& callbacks) {
  for (const CallbackPtr& callback : callbacks) {
    if (callback == nullptr) throw MakeError(ErrorCode::kInvalidArgument, "{}: callbacks: found a null pointer", call);
    callback->set_model(&model);
  }
}

Logs LogsOf(const BatchResult& batch, const ModelState& state) {
  const LogColumns columns = ColumnsOf(state);
  RunningResults results(columns);
  results.Add(batch);
  Logs logs;
  results.WriteTo(logs);
  return logs;
}

namespace {

// The class of each row: what a number says, or the first largest of several.
int64_t ClassOf(const Tensor& y, int64_t row, int64_t width) {
  const auto at = [&](int64_t i) {
    return y.dtype() == DType::kInt64 ? static_cast<float>(y.data<int64_t>()[row * width + i])
                                      : y.data<float>()[row * width + i];
  };
  if (width == 1) return static_cast<int64_t>(at(0));
  int64_t best = 0;
  for (int64_t i = 1; i < width; ++i) best = at(i) > at(best) ? i : best;
  return best;
}

Tensor WeightsByClass(const Tensor& targets, const ClassWeights& class_weight) {
  const Tensor y = targets.Cast(targets.dtype() == DType::kFloat32 ? DType::kFloat32 : DType::kInt64);
  if (y.shape().rank() < 1 || y.shape().rank() > 2)
    throw MakeError(
        ErrorCode::kInvalidArgument,
        "fit: class_weight: found targets of shape {}, wanted one class a row; sample_weight takes any shape",
        y.shape().ToString());
  const int64_t rows = y.dim(0), width = y.size() / std::max<int64_t>(rows, 1);
  Tensor weights(DType::kFloat32, {rows});
  for (int64_t row = 0; row < rows; ++row) {
    const auto found = class_weight.find(ClassOf(y, row, width));
    weights.data<float>()[row] = found == class_weight.end() ? 1.0f : found->second;
  }
  return weights;
}

// Which component of an element each input takes: the one under its name, or, where no input's name is there, the one
// in its place.
std::vector<size_t> PlacesOfInputs(const ModelState& state, const data::Element& element) {
  const size_t count = state.inputs.size();
  std::vector<size_t> places(count);
  std::vector<std::string> unnamed;  // inputs without a component of their name
  for (size_t i = 0; i < count; ++i) {
    const std::string& name = state.inputs[i]->layer->name;
    size_t k = 0;
    while (k < count && (element.name(k).empty() || element.name(k) != name)) ++k;
    if (k == count) unnamed.push_back(name);
    places[i] = k < count ? k : i;
  }
  if (!unnamed.empty() && unnamed.size() < count)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "fit: found no component for the input \"{}\" among the first {} but for others, wanted one",
                    unnamed[0], count);
  return places;
}

}  // namespace

Batch BatchOf(const ModelState& state, const data::Element& element, const ClassWeights& class_weight) {
  const size_t inputs = state.inputs.size(), outputs = state.outputs.size();
  Batch batch;
  for (const size_t place : PlacesOfInputs(state, element)) batch.x.push_back(element[place]);
  for (size_t i = 0; i < outputs; ++i) batch.y.push_back(element[inputs + i]);
  const size_t weights = element.size() - inputs - outputs;
  if (weights > 0 && !class_weight.empty())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "fit: found sample weights and class_weight, wanted one of them: multiply them into sample_weight");
  if (!class_weight.empty() && outputs > 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "fit: class_weight: found a model of {} outputs, wanted one; sample_weight goes with several",
                    outputs);
  if (!class_weight.empty()) batch.weights.push_back(WeightsByClass(batch.y[0], class_weight));
  for (size_t i = 0; weights > 0 && i < outputs; ++i)
    batch.weights.push_back(element[inputs + outputs + (weights == 1 ? 0 : i)]);
  return batch;
}

}  // namespace headrace::keras::internal
