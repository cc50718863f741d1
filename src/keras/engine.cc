#include "keras/engine.h"

#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/result.h"
#include "keras/losses/loss_state.h"
#include "keras/plan/algorithms.h"
#include "keras/plan/parameters.h"
#include "keras/plan/plan.h"
#include "keras/weight_update.h"

namespace headrace::keras::internal {
namespace {

uint32_t DropoutKey(uint64_t seed, int64_t step) {  // SplitMix64 of both
  uint64_t z = seed + static_cast<uint64_t>(step + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return static_cast<uint32_t>((z ^ (z >> 31)) >> 32);
}

DType ActivationType(const ModelState& model) {
  const bool mixed = model.compiled && model.compiled->options.policy == "mixed_bfloat16";
  return mixed ? DType::kBFloat16 : DType::kFloat32;
}

std::string AlgorithmsOf(const ModelState& model) {
  return model.compiled ? model.compiled->options.conv_algorithms : "";
}

}  // namespace

struct Engine::Impl {
  Impl(ModelState& m, std::unique_ptr<tensor::Backend> b)
      : model(m), backend(std::move(b)), chooser(*backend, AlgorithmsOf(model)) {
    if (!model.compiled) return;
    model.PackParameters();
    parameters = model.compiled->parameters;
    model.EnsureSlots();
    update.emplace(*backend, *model.compiled->optimizer.state(), model.compiled->trainable, parameters->values());
  }

  void RequireCompiled(const char* what) const {
    if (!model.compiled)
      throw MakeError(ErrorCode::kFailedPrecondition, "model {}: {} before compile()", model.name, what);
  }

  // An objective and its plans: for targets and weights of one shape.
  struct Trainer {
    Objective objective;
    std::map<std::pair<bool, int64_t>, std::unique_ptr<Plan>> plans;  // by training and number of rows
  };
  Trainer& TrainerFor(const Batch& batch);
  Plan& PlanFor(Trainer& trainer, bool training, int64_t rows);
  BatchResult RunPlan(const Trainer& trainer, Plan& plan, const Batch& batch, const StepContext& step) const;
  MetricBatch Read(const Reading& reading, const Plan& plan, const Batch& batch) const;

  // Behind backward.
  bool FinishStep(bool trained);
  StepContext Step() const;
  Plan& TrainingPlan(Trainer& trainer, int64_t rows);
  Plan& AnyTrainingPlan();

  ModelState& model;
  std::unique_ptr<tensor::Backend> backend;
  ConvChooser chooser;
  std::shared_ptr<Parameters> parameters;
  std::optional<WeightUpdate> update;  // of a compiled model
  std::map<std::string, Trainer> trainers;
  std::map<int64_t, std::unique_ptr<Plan>> predictors;
  Profile* profile = nullptr;
  bool one_choice = false;  // of implementations, on all ranks
};

namespace {

// What an objective depends on.
std::string Signature(const Batch& batch) {
  std::string text;
  for (const auto* tensors : {&batch.y, &batch.weights}) {
    for (const Tensor& tensor : *tensors) {
      if (tensor.defined()) text += Shape({tensor.shape().dims().begin() + 1, tensor.shape().dims().end()}).ToString();
      text += ';';
    }
    text += '|';
  }
  return text;
}

// A batch that could be: for a rank whose first step comes without one.
Batch EmptyBatch(const ModelState& model) {
  Batch batch;
  const auto one_row = [](Shape shape) {
    shape[0] = 1;
    return Tensor::Zeros(DType::kFloat32, shape);
  };
  for (const auto& input : model.inputs) batch.x.push_back(one_row(input->shape));
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    Tensor y = one_row(model.outputs[i]->shape);
    const auto& loss = model.compiled->losses[i];
    if (loss && loss->state()->classes)
      y = Tensor::Zeros(DType::kInt64, Shape({y.shape().dims().begin(), y.shape().dims().end() - 1}));
    batch.y.push_back(std::move(y));
  }
  return batch;
}

// The model's outputs in float32.
Graph PredictionGraph(const ModelState& model) {
  Graph graph = model.Lower();
  GraphBuilder build(graph, "predict");
  graph.output = build.Cast(graph.output, DType::kFloat32);
  for (int& output : graph.more_outputs) output = build.Cast(output, DType::kFloat32);
  return graph;
}

Tensor ViewOf(const void* data, const Shape& shape, int64_t rows) {
  return Tensor::View(DType::kFloat32, WithRows(shape, rows), const_cast<void*>(data), nullptr);
}

}  // namespace

Engine::Impl::Trainer& Engine::Impl::TrainerFor(const Batch& batch) {
  const std::string signature = Signature(batch);
  const auto found = trainers.find(signature);
  if (found != trainers.end()) return found->second;
  return trainers.emplace(signature, Trainer{MakeObjective(model, batch), {}}).first->second;
}

Plan& Engine::Impl::PlanFor(Trainer& trainer, bool training, int64_t rows) {
  auto& plan = trainer.plans[{training, rows}];
  if (plan) return *plan;
  PlanOptions options{.batch = rows, .dtype = ActivationType(model), .training = training};
  if (training) options.loss = trainer.objective.loss;
  plan = std::make_unique<Plan>(trainer.objective.graph, *backend, parameters.get(), chooser, options);
  return *plan;
}

BatchResult Engine::Impl::RunPlan(const Trainer& trainer, Plan& plan, const Batch& batch,
                                  const StepContext& step) const {
  std::vector<Tensor> inputs;
  for (const Feed& feed : trainer.objective.feeds)
    inputs.push_back(feed.from == Feed::From::kInput    ? batch.x[feed.index]
                     : feed.from == Feed::From::kTarget ? batch.y[feed.index]
                                                        : batch.weights[feed.index]);
  plan.Run(inputs, step);
  const auto number = [&](int output) { return *static_cast<const float*>(plan.output(static_cast<size_t>(output))); };
  BatchResult result{.rows = batch.x[0].dim(0)};
  const auto rows = static_cast<double>(result.rows);
  result.loss = number(0) * rows;
  for (const int output : trainer.objective.losses) result.losses.push_back(number(output) * rows);
  result.metrics.resize(model.compiled->columns.size());
  for (const Reading& reading : trainer.objective.readings) result.metrics[reading.metric] = Read(reading, plan, batch);
  return result;
}

MetricBatch Engine::Impl::Read(const Reading& reading, const Plan& plan, const Batch& batch) const {
  const int64_t rows = batch.x[0].dim(0);
  const auto at = [&](int output) { return plan.output(static_cast<size_t>(output)); };
  MetricBatch found;
  if (reading.sum >= 0) {
    found.sum = *static_cast<const float*>(at(reading.sum));
    found.weight = reading.weight >= 0 ? *static_cast<const float*>(at(reading.weight))
                                       : static_cast<double>(WithRows(reading.values, rows).size());
    return found;
  }
  found.y_true = batch.y[reading.output];
  found.y_pred = ViewOf(at(reading.predictions), model.outputs[reading.output]->shape, rows);
  if (reading.weighted) found.weights = batch.weights[reading.output];
  return found;
}

StepContext Engine::Impl::Step() const {
  const int rank = model.exchange() != nullptr ? model.exchange()->rank() : 0;
  return {.training = true,
          // Ranks drop different units: the seed's numbers of rank 0 are those of a model that trains alone.
          .dropout_key = DropoutKey(model.seed + (static_cast<uint64_t>(rank) << 32),
                                    model.compiled->optimizer.state()->iterations),
          .exchange = model.exchange(),
          .profile = profile};
}

bool Engine::Impl::FinishStep(bool trained) {
  GradientExchange::Outcome outcome{.gradients = parameters->gradients().data<float>()};
  if (GradientExchange* exchange = model.exchange()) outcome = exchange->FinishStep(trained);
  if (!outcome.somebody_trained) return false;
  update->Apply(outcome.gradients);
  ++model.compiled->optimizer.state()->iterations;
  return true;
}

// Rank 0 chooses the implementations for all: ranks that time them each for itself choose differently, run to run, and
// wait in every step for the one that was unlucky.
Plan& Engine::Impl::TrainingPlan(Trainer& trainer, int64_t rows) {
  GradientExchange* exchange = std::exchange(one_choice, true) ? nullptr : model.exchange();
  if (exchange != nullptr && exchange->rank() != 0) chooser.Follow(exchange->OfFirstRank(""));
  Plan& plan = PlanFor(trainer, true, rows);
  if (exchange != nullptr && exchange->rank() == 0) exchange->OfFirstRank(chooser.record());
  return plan;
}

// What ranks wait for depends neither on the size of the batch nor on its targets.
Plan& Engine::Impl::AnyTrainingPlan() {
  for (const auto& [signature, trainer] : trainers)
    for (const auto& [key, plan] : trainer.plans)
      if (key.first) return *plan;
  return TrainingPlan(TrainerFor(EmptyBatch(model)), 1);
}

Engine::Engine(ModelState& model, std::unique_ptr<tensor::Backend> backend)
    : impl_(std::make_unique<Impl>(model, std::move(backend))) {}

Engine::~Engine() = default;

BatchResult Engine::TrainBatch(const Batch& given) {
  Impl& impl = *impl_;
  impl.RequireCompiled("training");
  const Batch batch = CheckBatch(impl.model, given);
  Impl::Trainer& trainer = impl.TrainerFor(batch);
  impl.parameters->Claim();
  const StepContext step = impl.Step();
  Plan& plan = impl.TrainingPlan(trainer, batch.x[0].dim(0));
  const BatchResult result = impl.RunPlan(trainer, plan, batch, step);
  impl.FinishStep(true);
  return result;
}

bool Engine::TrainWithoutBatch() {
  Impl& impl = *impl_;
  impl.RequireCompiled("training");
  impl.parameters->Claim();
  Tensor gradients = impl.parameters->gradients();
  std::memset(gradients.raw(), 0, gradients.bytes());
  impl.AnyTrainingPlan().Skip(impl.Step());
  return impl.FinishStep(false);
}

BatchResult Engine::TestBatch(const Batch& given) {
  Impl& impl = *impl_;
  impl.RequireCompiled("evaluation");
  const Batch batch = CheckBatch(impl.model, given);
  Impl::Trainer& trainer = impl.TrainerFor(batch);
  return impl.RunPlan(trainer, impl.PlanFor(trainer, false, batch.x[0].dim(0)), batch, {});
}

void Engine::PredictBatch(const std::vector<Tensor>& x, std::vector<Tensor>& out) {
  Impl& impl = *impl_;
  CheckInputs(impl.model, x);
  const int64_t rows = x[0].dim(0);
  auto& plan = impl.predictors[rows];
  if (!plan)
    plan = std::make_unique<Plan>(PredictionGraph(impl.model), *impl.backend, nullptr, impl.chooser,
                                  PlanOptions{.batch = rows, .dtype = ActivationType(impl.model)});
  std::vector<Tensor> inputs;  // in the order of the graph
  for (const auto& node : impl.model.nodes)
    for (size_t i = 0; i < x.size(); ++i)
      if (impl.model.inputs[i] == node) inputs.push_back(x[i]);
  plan->Run(inputs, {.profile = impl.profile});
  for (size_t i = 0; i < out.size(); ++i) std::memcpy(out[i].raw(), plan->output(i), out[i].bytes());
}

void Engine::PredictBatch(const Tensor& x, Tensor& out) {
  std::vector<Tensor> outs = {out};
  PredictBatch(std::vector<Tensor>{x}, outs);
}

std::string Engine::algorithms() const { return impl_->chooser.record(); }
void Engine::set_profile(Profile* profile) { impl_->profile = profile; }
const Tensor& Engine::gradient(size_t variable) const { return impl_->parameters->gradient_view(variable); }

}  // namespace headrace::keras::internal
