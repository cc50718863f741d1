#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "base/result.h"
#include "keras/fit/model_engine.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

Tensor Concatenated(const std::vector<Tensor>& parts, const Shape& shape) {
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += part.dim(0);
  Tensor all(DType::kFloat32, WithRows(shape, rows));
  auto* to = static_cast<char*>(all.raw());
  for (const Tensor& part : parts) {
    std::memcpy(to, part.raw(), part.bytes());
    to += part.bytes();
  }
  return all;
}

void RequireOneOutput(const internal::ModelState& model) {
  if (model.inputs.size() != 1 || model.outputs.size() != 1)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "predict: model {} has {} inputs and {} outputs: found one tensor, wanted a list of tensors",
                    model.name, model.inputs.size(), model.outputs.size());
}

}  // namespace

Tensor Model::predict(const Tensor& x, PredictOptions options) {
  RequireOneOutput(*state_);
  return predict(std::vector<Tensor>{x}, options)[0];
}

std::vector<Tensor> Model::predict(const std::vector<Tensor>& x, PredictOptions options) {
  if (x.empty()) throw MakeError(ErrorCode::kInvalidArgument, "predict: found no input, wanted one or more");
  for (const Tensor& input : x)
    if (!input.defined() || input.shape().rank() == 0 || input.dim(0) == 0 || input.dim(0) != x[0].dim(0) ||
        options.batch_size < 1) {
      throw MakeError(ErrorCode::kInvalidArgument,
                      "predict: found x {} and batch_size {}, wanted at least one row each", input.shape().ToString(),
                      options.batch_size);
    }
  internal::Engine& engine = internal::EngineOf(*state_);
  const int64_t available = (x[0].dim(0) + options.batch_size - 1) / options.batch_size;
  const int64_t steps = options.steps > 0 ? std::min(options.steps, available) : available;
  const int64_t rows = std::min(x[0].dim(0), steps * options.batch_size);
  std::vector<Tensor> scores;
  for (const auto& output : state_->outputs) scores.emplace_back(DType::kFloat32, WithRows(output->shape, rows));
  internal::GiveModel(*this, "predict", options.callbacks);
  for (const CallbackPtr& callback : options.callbacks) callback->on_predict_begin();
  for (int64_t begin = 0; begin < rows; begin += options.batch_size) {
    const int64_t end = std::min(rows, begin + options.batch_size);
    std::vector<Tensor> inputs, parts;  // views: written in place
    for (const Tensor& input : x) inputs.push_back(input.Slice(begin, end));
    for (const Tensor& score : scores) parts.push_back(score.Slice(begin, end));
    engine.PredictBatch(inputs, parts);
  }
  for (const CallbackPtr& callback : options.callbacks) callback->on_predict_end();
  return scores;
}

Tensor Model::predict(const data::Dataset& data, PredictOptions options) {
  if (options.steps <= 0 && data.cardinality() == data::kInfinite) {
    throw MakeError(ErrorCode::kInvalidArgument,
                    "predict: the dataset is endless: found no number of steps, wanted one above 0");
  }
  RequireOneOutput(*state_);
  internal::Engine& engine = internal::EngineOf(*state_);
  std::vector<Tensor> parts;
  internal::GiveModel(*this, "predict", options.callbacks);
  for (const CallbackPtr& callback : options.callbacks) callback->on_predict_begin();
  auto batches = data.prefetch(2).MakeIterator();
  while (options.steps <= 0 || static_cast<int64_t>(parts.size()) < options.steps) {
    const auto batch = batches.Next();
    if (!batch) break;
    Tensor part(DType::kFloat32, WithRows(output_shape(), batch->x().dim(0)));
    engine.PredictBatch(batch->x(), part);
    parts.push_back(std::move(part));
  }
  for (const CallbackPtr& callback : options.callbacks) callback->on_predict_end();
  if (parts.empty()) {
    throw MakeError(ErrorCode::kInvalidArgument, "predict: the dataset is empty: found 0 batches, wanted 1 or more");
  }
  return Concatenated(parts, output_shape());
}

}  // namespace headrace::keras
