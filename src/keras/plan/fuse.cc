#include "keras/plan/fuse.h"

namespace headrace::keras::internal {
namespace {

template <typename Op>
const Op* As(const Value& value) {
  return std::get_if<Op>(&value.op);
}

bool IsActivation(const Value& value, tensor::Activation activation) {
  const auto* op = As<ActivationOp>(value);
  return op != nullptr && op->activation == activation;
}

// Windows side by side: what an epilogue can pool.
bool IsPlainPool(const Value& value) {
  const auto* op = As<MaxPoolOp>(value);
  return op != nullptr && op->pool_h == op->stride_h && op->pool_w == op->stride_w && op->pad_top == 0 &&
         op->pad_bottom == 0 && op->pad_left == 0 && op->pad_right == 0;
}

class Fuser {
 public:
  Fuser(const Graph& graph, const FuseOptions& options) : graph_(graph), options_(options) {
    const int count = static_cast<int>(graph.values.size());
    fused_.storage.resize(count);
    consumers_.resize(count);
    needed_.resize(count);
    for (const int output : graph.Outputs()) needed_[output] = true;
    for (int i = count; i-- > 0;)
      for (const int input : graph.values[i].inputs)
        if (needed_[i]) needed_[input] = true;
    for (int i = 0; i < count; ++i)
      for (const int input : graph.values[i].inputs)
        if (needed_[i]) consumers_[input].push_back(i);
    for (const int output : graph.Outputs()) consumers_[output].push_back(count);  // the caller reads it
  }

  FusedGraph Run() {
    const int count = static_cast<int>(graph_.values.size());
    std::vector<bool> absorbed(count);
    for (int i = 0; i < count; ++i) {
      if (absorbed[i]) continue;
      if (!needed_[i]) {
        fused_.storage[i] = i;
        continue;
      }
      const Value& value = graph_.values[i];
      if (IsAlias(i)) {
        fused_.storage[i] = fused_.storage[value.inputs[0]];
      } else if (As<InputOp>(value) != nullptr || As<ConstantOp>(value) != nullptr) {
        fused_.storage[i] = i;
      } else if (StartsEpilogue(value)) {
        AddEpilogue(i, absorbed);
      } else {
        fused_.storage[i] = i;
        FusedStep step{.op = &value, .output = i};
        for (const int input : value.inputs) step.inputs.push_back(fused_.storage[input]);
        fused_.steps.push_back(std::move(step));
      }
    }
    for (const int output : graph_.Outputs()) fused_.outputs.push_back(fused_.storage[output]);
    return std::move(fused_);
  }

 private:
  bool IsAlias(int index) {
    const Value& value = graph_.values[index];
    if (SharesStorage(graph_, value) || IsActivation(value, tensor::Activation::kLinear)) return true;
    if (const auto* dropout = As<DropoutOp>(value)) return !options_.training || dropout->rate == 0;
    return false;
  }

  static bool StartsEpilogue(const Value& value) {
    if (value.shape.rank() < 2) return false;  // an epilogue works on channels
    return As<BatchNormOp>(value) != nullptr || As<DropoutOp>(value) != nullptr ||
           IsActivation(value, tensor::Activation::kRelu) || IsPlainPool(value);
  }

  // The only consumer of value `index`, when there is just one and it is an operation; else -1.
  int OnlyConsumer(int index) const {
    const auto& consumers = consumers_[index];
    return consumers.size() == 1 && consumers[0] < static_cast<int>(graph_.values.size()) ? consumers[0] : -1;
  }

  // Takes the longest run of BatchNormalization, ReLU, pool, dropout, in this order, from `first` on.
  void AddEpilogue(int first, std::vector<bool>& absorbed) {
    FusedStep step;
    step.inputs = {fused_.storage[graph_.values[first].inputs[0]]};
    std::vector<int> members;
    int at = first;
    while (at >= 0 && Absorb(graph_.values[at], step)) {
      members.push_back(at);
      at = OnlyConsumer(at);
      while (at >= 0 && IsActivation(graph_.values[at], tensor::Activation::kLinear)) {
        members.push_back(at);
        at = OnlyConsumer(at);
      }
    }
    step.output = members.back();
    for (const int member : members) {
      absorbed[member] = true;
      fused_.storage[member] = step.output;
    }
    fused_.steps.push_back(std::move(step));
  }

  bool Absorb(const Value& value, FusedStep& step) const {
    if (As<BatchNormOp>(value) != nullptr && !step.batch_norm && !step.relu && !step.pool && !step.dropout) {
      step.batch_norm = &value;
    } else if (IsActivation(value, tensor::Activation::kRelu) && !step.relu && !step.pool && !step.dropout) {
      step.relu = &value;
    } else if (IsPlainPool(value) && !step.pool && !step.dropout) {
      step.pool = &value;
    } else if (const auto* dropout = As<DropoutOp>(value); dropout && !step.dropout && options_.training) {
      step.dropout = &value;
    } else {
      return false;
    }
    return true;
  }

  const Graph& graph_;
  const FuseOptions& options_;
  FusedGraph fused_;
  std::vector<std::vector<int>> consumers_;
  std::vector<bool> needed_;
};

}  // namespace

FusedGraph Fuse(const Graph& graph, const FuseOptions& options) { return Fuser(graph, options).Run(); }

}  // namespace headrace::keras::internal
