#include "keras/objective.h"

#include <algorithm>
#include <set>

#include "base/result.h"
#include "keras/losses/loss_state.h"
#include "keras/metrics/metric_state.h"
#include "keras/operations/builder.h"

namespace headrace::keras::internal {
namespace {

Shape PerBatch(Shape shape) {
  shape[0] = -1;
  return shape;
}

class Builder {
 public:
  Builder(const ModelState& model, const Batch& batch)
      : model_(model), compiled_(*model.compiled), batch_(batch), build_(objective_.graph, "loss") {}

  Objective Run() {
    objective_.graph = model_.Lower(&node_values_);
    FeedInputs();
    for (size_t i = 0; i < model_.outputs.size(); ++i) AddOutput(i);
    AddPenalties();
    if (total_ < 0)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: no output has a loss, wanted one at least", model_.name);
    std::vector<int> outputs = {objective_.loss = total_};
    if (losses_.size() > 1)
      for (const int loss : losses_) {
        objective_.losses.push_back(static_cast<int>(outputs.size()));
        outputs.push_back(loss);
      }
    AddMetrics(outputs);
    objective_.graph.output = outputs[0];
    objective_.graph.more_outputs.assign(outputs.begin() + 1, outputs.end());
    return std::move(objective_);
  }

 private:
  void FeedInputs() {
    for (const auto& node : model_.nodes) {
      const auto found = std::find(model_.inputs.begin(), model_.inputs.end(), node);
      if (found == model_.inputs.end()) continue;
      objective_.feeds.push_back(
          {Feed::From::kInput, static_cast<size_t>(found - model_.inputs.begin()), node->shape, DType::kFloat32});
    }
    predictions_ = objective_.graph.Outputs();
    for (int& prediction : predictions_) prediction = build_.Cast(prediction, DType::kFloat32);
    targets_.assign(predictions_.size(), -1);
    weights_.assign(predictions_.size(), -1);
  }

  int FeedIn(Feed::From from, size_t index, const Tensor& tensor) {
    const Shape shape = PerBatch(tensor.shape());
    objective_.feeds.push_back({from, index, shape, tensor.dtype()});
    return build_.Input(shape, tensor.dtype());
  }

  void AddOutput(size_t i) {
    if (i >= batch_.y.size() || !batch_.y[i].defined()) return;
    targets_[i] = FeedIn(Feed::From::kTarget, i, batch_.y[i]);
    if (i < batch_.weights.size() && batch_.weights[i].defined())
      weights_[i] = FeedIn(Feed::From::kWeights, i, batch_.weights[i]);
    if (compiled_.losses[i]) AddLoss(i, *compiled_.losses[i]->state());
  }

  void AddLoss(size_t i, const LossState& loss) {
    const int value = Reduced(loss, ValuesOf(loss, build_, targets_[i], predictions_[i]), weights_[i]);
    losses_.push_back(value);
    const float weight = compiled_.loss_weights[i];
    AddToTotal(weight == 1 ? value : build_.Mul(value, weight));
  }

  // [n] meets [n, t] as [n, 1]; [n, 1] meets [n].
  int FitWeights(int weights, int values) {
    if (build_.rank(weights) == build_.rank(values) + 1 && build_.shape(weights).dims().back() == 1)
      weights = build_.Squeeze(weights, -1);
    while (build_.rank(weights) < build_.rank(values)) weights = build_.ExpandDims(weights, -1);
    return weights;
  }

  int Reduced(const LossState& loss, int values, int weights) {
    if (build_.rank(values) == 0) return values;
    using tensor::Reduction;
    int fitted = -1;
    if (weights >= 0) {
      fitted = FitWeights(weights, values);
      values = build_.Mul(values, fitted);
    }
    if (loss.reduction == "sum") return build_.ReduceAll(Reduction::kSum, values);
    if (loss.reduction != "mean_with_sample_weight" || weights < 0) return build_.ReduceAll(Reduction::kMean, values);
    const int sum = build_.ReduceAll(Reduction::kSum, weights);
    const int nothing = build_.Binary(tensor::Binary::kEqual, sum, 0.0f);  // nothing by nothing is nothing
    return build_.Div(build_.ReduceAll(Reduction::kSum, values), build_.Add(sum, nothing));
  }

  void AddToTotal(int value) { total_ = total_ < 0 ? value : build_.Add(total_, value); }

  // ---- regularizers

  // per_row: the mean over the rows of the batch.
  int Penalty(const Regularizer& regularizer, int x, bool per_row) {
    using tensor::Pointwise;
    const auto sum = [&](Pointwise kind, float factor) {
      int value = build_.Pointwise(kind, x);
      std::vector<int64_t> axes;
      for (int64_t axis = per_row ? 1 : 0; axis < build_.rank(x); ++axis) axes.push_back(axis);
      value = build_.Sum(value, axes);
      return build_.Mul(per_row ? build_.Mean(value, {0}) : value, factor);
    };
    if (regularizer.l2() == 0) return sum(Pointwise::kAbs, regularizer.l1());
    const int squares = sum(Pointwise::kSquare, regularizer.l2());
    return regularizer.l1() == 0 ? squares : build_.Add(sum(Pointwise::kAbs, regularizer.l1()), squares);
  }

  bool Trains(const VariablePtr& variable) const {
    return std::find(compiled_.trainable.begin(), compiled_.trainable.end(), variable) != compiled_.trainable.end();
  }

  void AddPenalties() {
    std::set<const Variable*> seen;
    for (const auto& layer : model_.Layers())
      for (size_t i = 0; i < layer->weights.size(); ++i)
        if (layer->specs[i].regularizer && Trains(layer->weights[i]) && seen.insert(layer->weights[i].get()).second)
          AddToTotal(Penalty(layer->specs[i].regularizer, build_.Variable(layer->weights[i]), false));
    for (size_t i = 0; i < model_.nodes.size(); ++i) {  // of each call
      const Regularizer& regularizer = model_.nodes[i]->layer->activity_regularizer;
      if (regularizer) AddToTotal(Penalty(regularizer, build_.Cast(node_values_[i], DType::kFloat32), true));
    }
    for (const int penalty : objective_.graph.penalties) AddToTotal(penalty);
  }

  // ---- metrics

  void AddMetrics(std::vector<int>& outputs) {
    for (size_t i = 0; i < compiled_.columns.size(); ++i) {
      const Column& column = compiled_.columns[i];
      if (targets_[column.output] < 0) continue;
      const MetricState& metric = *column.metric.state();
      const int weights = column.weighted ? weights_[column.output] : -1;
      Reading reading{.metric = i, .output = column.output, .weighted = weights >= 0};
      if (metric.values) {
        Add(reading, metric.values(build_, targets_[column.output], predictions_[column.output]), weights, outputs);
      } else {
        reading.predictions = static_cast<int>(outputs.size());
        outputs.push_back(predictions_[column.output]);
      }
      objective_.readings.push_back(std::move(reading));
    }
  }

  void Add(Reading& reading, int values, int weights, std::vector<int>& outputs) {
    if (weights >= 0 && build_.rank(values) > 0) {
      const int fitted = FitWeights(weights, values);
      values = build_.Mul(values, fitted);
      const int repeated = build_.Add(build_.Mul(values, 0.0f), fitted);
      reading.weight = static_cast<int>(outputs.size());
      outputs.push_back(build_.ReduceAll(tensor::Reduction::kSum, repeated));
    }
    reading.values = build_.shape(values);
    reading.sum = static_cast<int>(outputs.size());
    outputs.push_back(build_.ReduceAll(tensor::Reduction::kSum, values));
  }

  const ModelState& model_;
  const Compiled& compiled_;
  const Batch& batch_;
  Objective objective_;
  GraphBuilder build_;
  std::vector<int> node_values_;                      // of the model's nodes
  std::vector<int> predictions_, targets_, weights_;  // by output of the model; -1 where there is none
  std::vector<int> losses_;
  int total_ = -1;
};

// ------------------------------------------------------------------------------------------------------ checks

void CheckClasses(const std::string& loss, const Tensor& y, int64_t classes) {
  const int64_t* labels = y.data<int64_t>();
  for (int64_t i = 0; i < y.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: label {} in row {} of the batch is out of range, wanted 0 <= label < {}", loss, labels[i],
                      i * y.dim(0) / y.size(), classes);
}

Tensor CheckTargets(const LossState* loss, const Tensor& y, const Shape& predictions, int64_t rows) {
  const std::string what = loss != nullptr ? loss->name : "targets";
  if (!y.defined() || y.shape().rank() == 0 || y.dim(0) != rows)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found targets of shape {}, wanted {} rows", what,
                    y.shape().ToString(), rows);
  if (loss == nullptr || !loss->classes) return y.Cast(DType::kFloat32);
  Shape wanted(std::vector<int64_t>(predictions.dims().begin(), predictions.dims().end() - 1));
  wanted[0] = rows;
  std::vector<int64_t> column = wanted.dims();
  column.push_back(1);
  const bool integers = y.dtype() == DType::kInt64 || y.dtype() == DType::kInt32 || y.dtype() == DType::kUInt8;
  if (!integers || (y.shape() != wanted && y.shape() != Shape(column)))
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found labels {} of shape {}, wanted integers of shape {}{}", what,
                    NameOf(y.dtype()), y.shape().ToString(), wanted.ToString(),
                    y.shape().rank() == predictions.rank() ? " (one-hot labels go with categorical_crossentropy)" : "");
  Tensor labels = y.Cast(DType::kInt64);
  CheckClasses(what, labels, predictions.dims().back());
  return labels;
}

Tensor CheckWeights(const Tensor& weights, int64_t rows) {
  if (weights.shape().rank() == 0 || weights.dim(0) != rows)
    throw MakeError(ErrorCode::kInvalidArgument, "sample_weight: found shape {}, wanted {} rows",
                    weights.shape().ToString(), rows);
  return weights.Cast(DType::kFloat32);
}

}  // namespace

Objective MakeObjective(const ModelState& model, const Batch& batch) { return Builder(model, batch).Run(); }

void CheckInputs(const ModelState& model, const std::vector<Tensor>& x) {
  if (x.size() != model.inputs.size())
    throw MakeError(ErrorCode::kInvalidArgument, "model {}: found {} inputs, wanted {}", model.name, x.size(),
                    model.inputs.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const Shape& wanted = model.inputs[i]->shape;
    bool fits = x[i].defined() && x[i].shape().rank() == wanted.rank() && x[i].dim(0) > 0 && x[i].dim(0) == x[0].dim(0);
    for (size_t axis = 1; fits && axis < wanted.rank(); ++axis) fits = x[i].dim(axis) == wanted[axis];
    if (!fits)
      throw MakeError(ErrorCode::kInvalidArgument, "model {}: found input {}of shape {}, wanted {}", model.name,
                      x.size() > 1 ? "'" + model.inputs[i]->layer->name + "' " : "", x[i].shape().ToString(),
                      wanted.ToString());
    if (x[i].dtype() != DType::kFloat32 && x[i].dtype() != DType::kUInt8)
      throw MakeError(ErrorCode::kInvalidArgument, "model {}: found input of dtype {}, wanted float32 or uint8",
                      model.name, NameOf(x[i].dtype()));
  }
}

Batch CheckBatch(const ModelState& model, const Batch& batch) {
  CheckInputs(model, batch.x);
  const Compiled& compiled = *model.compiled;
  if (batch.y.size() != model.outputs.size())
    throw MakeError(ErrorCode::kInvalidArgument, "model {}: found targets for {} outputs, wanted {}", model.name,
                    batch.y.size(), model.outputs.size());
  if (batch.weights.size() > model.outputs.size())
    throw MakeError(ErrorCode::kInvalidArgument, "model {}: found sample weights for {} outputs, wanted {}", model.name,
                    batch.weights.size(), model.outputs.size());
  Batch checked = batch;
  const int64_t rows = batch.x[0].dim(0);
  for (size_t i = 0; i < batch.y.size(); ++i) {
    const LossState* loss = compiled.losses[i] ? compiled.losses[i]->state().get() : nullptr;
    if (loss == nullptr && !batch.y[i].defined()) continue;
    checked.y[i] = CheckTargets(loss, batch.y[i], model.outputs[i]->shape, rows);
  }
  for (Tensor& weights : checked.weights)
    if (weights.defined()) weights = CheckWeights(weights, rows);
  return checked;
}

}  // namespace headrace::keras::internal
