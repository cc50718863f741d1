#include "keras/engine.h"

#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>

#include "base/result.h"
#include "keras/plan/algorithms.h"
#include "keras/plan/parameters.h"
#include "keras/plan/plan.h"

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
  enum class Use { kTrain, kTest, kPredict };

  Impl(ModelState& m, std::unique_ptr<tensor::Backend> b)
      : model(m), backend(std::move(b)), graph(model.Lower()), chooser(*backend, AlgorithmsOf(model)) {
    if (!model.compiled) return;
    model.PackParameters();
    parameters = model.compiled->parameters;
    model.EnsureSlots();
  }

  const Loss& loss() const { return model.compiled->loss; }
  bool sparse() const { return loss().kind() == Loss::Kind::kSparseCategoricalCrossentropy; }
  int64_t classes() const {
    const Shape& shape = graph.values[graph.output].shape;
    return shape[shape.rank() - 1];
  }

  Plan& PlanFor(Use use, int64_t batch) {
    auto& plan = plans[{use, batch}];
    if (plan) return *plan;
    PlanOptions options{.batch = batch, .dtype = ActivationType(model), .training = use == Use::kTrain};
    options.drop_softmax = use != Use::kPredict && !loss().from_logits();
    plan = std::make_unique<Plan>(graph, *backend, parameters.get(), chooser, options);
    return *plan;
  }

  void RequireCompiled(const char* what) const {
    if (!model.compiled)
      throw MakeError(ErrorCode::kFailedPrecondition, "model {}: {} before compile()", model.name, what);
    const Shape& shape = graph.values[graph.output].shape;
    if (shape.rank() != 2)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "model {}: the loss wants an output of shape (None, classes), found {}", model.name,
                      shape.ToString());
  }

  void CheckInput(const Tensor& x) const;
  // The labels in the form the kernels read, checked.
  Tensor CheckLabels(const Tensor& x, const Tensor& y) const;
  void CheckSparse(const Tensor& y) const;

  // Runs the loss on the plan's scores; writes dscores in training.
  BatchResult RunLoss(Plan& plan, const Tensor& labels, int64_t rows, bool training);
  void Update(const float* gradients);
  // Behind backward.
  bool FinishStep(bool trained);
  StepContext Step() const;
  Plan& TrainingPlan(int64_t batch);
  Plan& AnyTrainingPlan();

  ModelState& model;
  std::unique_ptr<tensor::Backend> backend;
  Graph graph;
  ConvChooser chooser;
  std::shared_ptr<Parameters> parameters;
  std::map<std::pair<Use, int64_t>, std::unique_ptr<Plan>> plans;
  std::vector<float> losses;
  std::vector<uint8_t> correct;
  Profile* profile = nullptr;
  bool one_choice = false;  // of implementations, on all ranks
};

void Engine::Impl::CheckInput(const Tensor& x) const {
  Shape wanted = graph.values[0].shape;
  bool fits = x.defined() && x.shape().rank() == wanted.rank() && x.dim(0) > 0;
  for (size_t axis = 1; fits && axis < wanted.rank(); ++axis) fits = x.dim(axis) == wanted[axis];
  if (!fits)
    throw MakeError(ErrorCode::kInvalidArgument, "model {}: found input of shape {}, wanted {}", model.name,
                    x.shape().ToString(), wanted.ToString());
  if (x.dtype() != DType::kFloat32 && x.dtype() != DType::kUInt8)
    throw MakeError(ErrorCode::kInvalidArgument, "model {}: found input of dtype {}, wanted float32 or uint8",
                    model.name, NameOf(x.dtype()));
}

Tensor Engine::Impl::CheckLabels(const Tensor& x, const Tensor& y) const {
  const int64_t rows = x.dim(0);
  if (sparse()) {
    const bool fits = y.defined() && y.size() == rows && (y.shape().rank() == 1 || y.shape().rank() == 2);
    if (!fits || y.dtype() == DType::kFloat32)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: found labels {} of shape {}, wanted integers of shape ({},)",
                      loss().name(), NameOf(y.dtype()), y.shape().ToString(), rows);
    Tensor labels = y.Cast(DType::kInt64);
    CheckSparse(labels);
    return labels;
  }
  if (!y.defined() || y.shape() != Shape{rows, classes()} || y.dtype() != DType::kFloat32)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found labels {} of shape {}, wanted float32 of shape {} (one-hot; integer labels go with "
                    "sparse_categorical_crossentropy)",
                    loss().name(), NameOf(y.dtype()), y.shape().ToString(), Shape({rows, classes()}).ToString());
  return y;
}

void Engine::Impl::CheckSparse(const Tensor& y) const {
  const int64_t* labels = y.data<int64_t>();
  for (int64_t i = 0; i < y.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes())
      throw MakeError(ErrorCode::kInvalidArgument,
                      "label {} in row {} of the batch is out of range, wanted 0 <= label < {}", labels[i], i,
                      classes());
}

BatchResult Engine::Impl::RunLoss(Plan& plan, const Tensor& labels, int64_t rows, bool training) {
  losses.resize(static_cast<size_t>(rows));
  correct.resize(static_cast<size_t>(rows));
  backend->Crossentropy({.rows = rows,
                         .classes = classes(),
                         .from_logits = plan.softmax_dropped() || loss().from_logits(),
                         .label_smoothing = loss().label_smoothing(),
                         .labels = sparse() ? tensor::Labels::kSparse : tensor::Labels::kOneHot,
                         .dtype = ActivationType(model),
                         .scores = plan.scores(),
                         .targets = labels.raw(),
                         .dscores = training ? plan.dscores() : nullptr,
                         .losses = losses.data(),
                         .correct = correct.data()});
  return {.rows = rows,
          .loss = std::accumulate(losses.begin(), losses.end(), 0.0),
          .correct = std::accumulate(correct.begin(), correct.end(), int64_t{0})};
}

void Engine::Impl::Update(const float* g) {
  OptimizerState& o = *model.compiled->optimizer.state();
  const float lr =
      static_cast<float>(o.learning_rate / (1.0 + static_cast<double>(o.decay) * static_cast<double>(o.iterations)));
  const int64_t count = parameters->values().size();
  auto* w = const_cast<float*>(parameters->values().data<float>());
  const auto slot = [&](size_t i) {
    return i < o.slots.size() ? static_cast<float*>(o.slots[i].values[0].raw()) : nullptr;
  };
  switch (o.kind) {
    case OptimizerState::Kind::kSgd:
      backend->Sgd({count, lr, o.momentum, o.nesterov, w, g, slot(0)});
      break;
    case OptimizerState::Kind::kRmsprop:
      backend->Rmsprop({count, lr, o.rho, o.epsilon, o.momentum, w, g, slot(0), slot(1)});
      break;
    case OptimizerState::Kind::kAdam: {
      const double t = static_cast<double>(o.iterations + 1);
      const double lr_t = lr * std::sqrt(1 - std::pow(static_cast<double>(o.beta_2), t)) /
                          (1 - std::pow(static_cast<double>(o.beta_1), t));
      backend->Adam({count, static_cast<float>(lr_t), o.beta_1, o.beta_2, o.epsilon, w, g, slot(0), slot(1)});
      break;
    }
  }
}

StepContext Engine::Impl::Step() const {
  const int rank = model.exchange() != nullptr ? model.exchange()->rank() : 0;
  return {.training = true,
          // Ranks drop different units: the seed's numbers of rank 0 are those of a model that trains alone.
          .dropout_key =
              DropoutKey(model.seed + (static_cast<uint64_t>(rank) << 32), model.compiled->optimizer.iterations()),
          .exchange = model.exchange(),
          .profile = profile};
}

bool Engine::Impl::FinishStep(bool trained) {
  GradientExchange::Outcome outcome{.gradients = parameters->gradients().data<float>()};
  if (GradientExchange* exchange = model.exchange()) outcome = exchange->FinishStep(trained);
  if (!outcome.somebody_trained) return false;
  if (outcome.gradients != nullptr) Update(outcome.gradients);
  ++model.compiled->optimizer.state()->iterations;
  return true;
}

// Rank 0 chooses the implementations for all: ranks that time them each for itself choose differently, run to run, and
// wait in every step for the one that was unlucky.
Plan& Engine::Impl::TrainingPlan(int64_t batch) {
  GradientExchange* exchange = std::exchange(one_choice, true) ? nullptr : model.exchange();
  if (exchange != nullptr && exchange->rank() != 0) chooser.Follow(exchange->OfFirstRank(""));
  Plan& plan = PlanFor(Use::kTrain, batch);
  if (exchange != nullptr && exchange->rank() == 0) exchange->OfFirstRank(chooser.record());
  return plan;
}

// What ranks wait for does not depend on the size of the batch.
Plan& Engine::Impl::AnyTrainingPlan() {
  for (const auto& [key, plan] : plans)
    if (key.first == Use::kTrain) return *plan;
  return TrainingPlan(1);
}

Engine::Engine(ModelState& model, std::unique_ptr<tensor::Backend> backend)
    : impl_(std::make_unique<Impl>(model, std::move(backend))) {}

Engine::~Engine() = default;

BatchResult Engine::TrainBatch(const Tensor& x, const Tensor& y) {
  Impl& impl = *impl_;
  impl.RequireCompiled("training");
  impl.CheckInput(x);
  const Tensor labels = impl.CheckLabels(x, y);
  impl.parameters->Claim();
  const StepContext step = impl.Step();
  Plan& plan = impl.TrainingPlan(x.dim(0));
  plan.Forward(x, step);
  const BatchResult result = impl.RunLoss(plan, labels, x.dim(0), true);
  plan.Backward(step);
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

BatchResult Engine::TestBatch(const Tensor& x, const Tensor& y) {
  Impl& impl = *impl_;
  impl.RequireCompiled("evaluation");
  impl.CheckInput(x);
  const Tensor labels = impl.CheckLabels(x, y);
  Plan& plan = impl.PlanFor(Impl::Use::kTest, x.dim(0));
  plan.Forward(x, {});
  return impl.RunLoss(plan, labels, x.dim(0), false);
}

void Engine::PredictBatch(const Tensor& x, Tensor& out) {
  Impl& impl = *impl_;
  impl.CheckInput(x);
  Plan& plan = impl.PlanFor(Impl::Use::kPredict, x.dim(0));
  plan.Forward(x, {.profile = impl.profile});
  impl.backend->Convert(out.size(), ActivationType(impl.model), plan.scores(), DType::kFloat32, out.raw());
}

std::string Engine::algorithms() const { return impl_->chooser.record(); }
void Engine::set_profile(Profile* profile) { impl_->profile = profile; }
const Tensor& Engine::gradient(size_t variable) const { return impl_->parameters->gradient_view(variable); }

}  // namespace headrace::keras::internal
