#include "keras/plan/differentiate.h"

#include "base/result.h"
#include "keras/operations/operation.h"

namespace headrace::keras::internal {
namespace {

class Differentiator {
 public:
  Differentiator(Graph& graph, FusedGraph& fused, const Parameters& parameters)
      : graph_(graph),
        fused_(fused),
        parameters_(parameters),
        forward_steps_(fused.steps.size()),
        gradients_(graph.values.size(), -1),
        needed_(graph.values.size()) {
    fused_.backward.assign(forward_steps_, -1);
    for (const FusedStep& step : fused_.steps)
      needed_[static_cast<size_t>(step.output)] = Trains(step) || (AnyNeeded(step) && !Ends(step));
  }

  void Run(int loss) {
    const int storage = fused_.storage[static_cast<size_t>(loss)];
    if (!needed_[static_cast<size_t>(storage)]) return;
    gradients_[static_cast<size_t>(storage)] =
        GraphBuilder(graph_, "loss").Ones(graph_.values[static_cast<size_t>(storage)].shape, DType::kFloat32);
    AddSteps();
    for (size_t i = forward_steps_; i-- > 0;) {
      const FusedStep step = fused_.steps[i];
      const int dy = gradients_[static_cast<size_t>(step.output)];
      if (dy < 0 || !needed_[static_cast<size_t>(step.output)]) continue;
      if (step.epilogue() || HasOwnBackward(step.op->op))
        RunBackwards(i, step, dy);
      else
        AppendGradient(step, dy);
    }
  }

 private:
  bool Needed(int storage) const { return needed_[static_cast<size_t>(storage)]; }

  static bool Ends(const FusedStep& step) { return !step.epilogue() && EndsGradients(*step.op); }

  bool AnyNeeded(const FusedStep& step) const {
    for (const int input : step.inputs)
      if (Needed(input)) return true;
    return false;
  }

  bool Trains(const FusedStep& step) const {
    for (const Value* part : {step.op, step.batch_norm}) {
      if (part == nullptr) continue;
      for (const auto& variable : part->variables)
        if (parameters_.gradient(variable.get()) != nullptr) return true;
    }
    return false;
  }

  void RunBackwards(size_t i, const FusedStep& step, int dy) {
    for (size_t k = 1; k < step.inputs.size(); ++k)
      if (Needed(step.inputs[k]))
        throw MakeError(ErrorCode::kInvalidArgument, "layer {}: its operation has no gradient by its input {}",
                        step.op->layer, k + 1);
    Value value{BackwardOp{static_cast<int>(i)}, step.op != nullptr ? step.op->layer : "", {dy}, {}, {}};
    value.dtype = graph_.values[static_cast<size_t>(dy)].dtype;
    const bool wanted = !step.inputs.empty() && Needed(step.inputs[0]);
    if (wanted) {
      const Value& input = graph_.values[static_cast<size_t>(step.inputs[0])];
      value.shape = input.shape;
      value.dtype = input.dtype;
    }
    const int dx = graph_.Append(std::move(value));
    AddSteps();
    fused_.backward[i] = static_cast<int>(fused_.steps.size()) - 1;
    if (wanted)
      Accumulate(step.inputs[0], dx);
    else
      fused_.steps.back().output = -1;
  }

  void AppendGradient(const FusedStep& step, int dy) {
    std::vector<bool> wanted;
    for (const int input : step.inputs) wanted.push_back(Needed(input));
    dy = GraphBuilder(graph_, step.op->layer).Reshape(dy, step.op->shape);
    GradientContext context(graph_, step.output, dy, std::move(wanted));
    internal::Differentiate(context);
    AddSteps();
    for (size_t k = 0; k < step.inputs.size(); ++k)
      if (context.wants(k) && context.given(k) >= 0) Accumulate(step.inputs[k], context.given(k));
  }

  void Accumulate(int storage, int gradient) {
    int& sum = gradients_[static_cast<size_t>(storage)];
    if (sum < 0) {
      sum = gradient;
      return;
    }
    const Value& first = graph_.values[static_cast<size_t>(sum)];
    sum = graph_.Append({AddOp{}, first.layer, {sum, gradient}, first.shape, {}, first.dtype});
    AddSteps();
  }

  // Steps of the values that were appended to the graph since.
  void AddSteps() {
    for (size_t i = fused_.storage.size(); i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      if (SharesStorage(graph_, value)) {
        fused_.storage.push_back(fused_.storage[static_cast<size_t>(value.inputs[0])]);
        continue;
      }
      fused_.storage.push_back(static_cast<int>(i));
      if (std::holds_alternative<ConstantOp>(value.op)) continue;
      FusedStep step{.op = &value, .output = static_cast<int>(i)};
      for (const int input : value.inputs) step.inputs.push_back(fused_.storage[static_cast<size_t>(input)]);
      if (const auto* backward = std::get_if<BackwardOp>(&value.op)) step.backward_of = backward->step;
      fused_.steps.push_back(std::move(step));
    }
  }

  Graph& graph_;
  FusedGraph& fused_;
  const Parameters& parameters_;
  size_t forward_steps_;
  std::vector<int> gradients_;  // of each storage of the forward pass: a value, -1 for none yet
  std::vector<bool> needed_;    // by storage: it depends on something that is trained
};

}  // namespace

void DifferentiateSteps(Graph& graph, FusedGraph& fused, int loss, const Parameters& parameters) {
  Differentiator(graph, fused, parameters).Run(loss);
}

}  // namespace headrace::keras::internal
