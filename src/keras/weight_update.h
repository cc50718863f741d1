// WeightUpdate: what becomes of a step's gradients: accumulated, clipped, handed to the optimizer's rule, averaged.
#pragma once

#include <vector>

#include "keras/optimizer_state.h"
#include "keras/packed.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

class WeightUpdate {
 public:
  // `weights`: packed values of `trainable` (plan/parameters.h). All outlive this; the optimizer has its slots.
  WeightUpdate(const tensor::Backend& backend, OptimizerState& optimizer, const std::vector<VariablePtr>& trainable,
               Tensor weights);

  // One step, gradients laid out as the weights are; null for a step that changes no weight, because gradients are
  // summed before they get here. The caller counts the iterations.
  void Apply(const float* gradients);

 private:
  // Weights that one pass updates alike.
  struct Range {
    int64_t begin = 0, count = 0;  // in the packed buffers
    size_t variable = 0;           // the first one
    Shape shape;                   // its shape
    bool decays = false;
  };

  std::vector<Range> MakeRanges(const std::vector<VariablePtr>& trainable) const;
  const float* Accumulate(const float* gradients);
  float GlobalScale(const float* gradients, float scale) const;
  void Step(const float* gradients, float scale, const tensor::UpdateArgs& step);
  void Average(tensor::UpdateArgs args);
  void OverwriteWithAverages();
  float* SlotData(const char* name) const;

  const tensor::Backend& backend_;
  OptimizerState& optimizer_;
  std::vector<VariablePtr> constrained_;
  std::vector<VariablePtr> trainable_;
  Tensor weights_;
  std::vector<Range> ranges_;
};

// Exchanges weights and averages. The optimizer has its slots, and keeps averages.
void SwapAverages(OptimizerState& optimizer, const std::vector<VariablePtr>& trainable);

// The weights become their averages, as fit() ends; the averages stay them, too. Nothing where none are kept.
void FinalizeWithAverages(OptimizerState& optimizer, const std::vector<VariablePtr>& trainable);

}  // namespace headrace::keras::internal
