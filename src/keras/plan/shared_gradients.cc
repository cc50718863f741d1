#include "keras/plan/shared_gradients.h"

#include <map>

namespace headrace::keras::internal {

SharedGradients::SharedGradients(const FusedGraph& fused, const Parameters* parameters) {
  if (parameters == nullptr) return;
  std::map<int, Shared> found;  // by number among the trainable variables: the same order in every run
  for (size_t step = 0; step < fused.backward.size(); ++step) {
    if (fused.backward[step] < 0) continue;
    for (const Value* part : {fused.steps[step].op, fused.steps[step].batch_norm}) {
      if (part == nullptr) continue;
      for (const auto& variable : part->variables) {
        float* sum = parameters->gradient(variable.get());
        if (sum == nullptr) continue;
        const int index = parameters->index(variable.get());
        Shared& shared = found[index];
        shared.variable = variable.get();
        shared.index = static_cast<size_t>(index);
        shared.sum = sum;
        shared.readers.push_back(static_cast<int>(step));
      }
    }
  }
  for (auto& [index, shared] : found) {
    if (shared.readers.size() < 2) continue;
    steps_.resize(fused.steps.size());
    shared.part = Tensor::Zeros(DType::kFloat32, shared.variable->value.shape());
    for (size_t i = 0; i + 1 < shared.readers.size(); ++i)
      steps_[static_cast<size_t>(shared.readers[i])].parts.push_back(shared_.size());
    steps_[static_cast<size_t>(shared.readers.front())].final.push_back(shared.index);
    shared_.push_back(std::move(shared));
  }
}

float* SharedGradients::Target(const Variable* variable, int step) const {
  for (const Shared& shared : shared_) {
    if (shared.variable != variable) continue;
    return step == shared.readers.back() ? shared.sum : const_cast<float*>(shared.part.data<float>());
  }
  return nullptr;
}

void SharedGradients::Add(int step, const tensor::Backend& backend) const {
  if (steps_.empty()) return;
  for (const size_t i : steps_[static_cast<size_t>(step)].parts) {
    const Shared& shared = shared_[i];
    backend.Add(shared.part.size(), DType::kFloat32, shared.sum, shared.part.raw(), shared.sum);
  }
}

const std::vector<size_t>& SharedGradients::Final(int step) const {
  return steps_.empty() ? none_ : steps_[static_cast<size_t>(step)].final;
}

}  // namespace headrace::keras::internal
