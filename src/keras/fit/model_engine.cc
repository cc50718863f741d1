#include "keras/fit/model_engine.h"

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

void CheckRows(const Tensor& x, const Tensor& y) {
  const auto rows = [](const Tensor& tensor) {
    return tensor.defined() && tensor.shape().rank() > 0 ? tensor.dim(0) : int64_t{0};
  };
  if (rows(x) != rows(y) || rows(x) == 0) {
    throw MakeError(ErrorCode::kInvalidArgument, "x {} and y {}: found {} and {} rows, wanted the same number, not 0",
                    x.shape().ToString(), y.shape().ToString(), rows(x), rows(y));
  }
}

Logs MeansOf(const BatchResult& batch, const std::vector<std::string>& metrics) {
  RunningMeans means(metrics);
  means.Add(batch);
  Logs logs;
  means.WriteTo(logs);
  return logs;
}

}  // namespace headrace::keras::internal
