// What each optimizer keeps for a variable, and what its step number t does: Keras's formulas around the back end's
// rules (tensor/update.h).
#pragma once

#include <string>
#include <vector>

#include "keras/optimizer_state.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

inline constexpr const char* kAverageSlot = "average";
inline constexpr const char* kAccumulatorSlot = "gradient_accumulator";

// A slot of a variable that starts with one value everywhere, or with the variable's values.
struct SlotSpec {
  std::string name;
  float initial = 0;
  enum class Part { kAll, kRows, kColumns } part = Part::kAll;  // kRows: one for each row of the last two axes
  bool starts_as_variable = false;
};
// Of the slot of a variable. One without two axes has one number where a part is kept.
Shape ShapeOfSlot(const SlotSpec& slot, const Shape& variable);
// In the order in which Keras makes them: group behind group, and within a group variable by variable.
std::vector<std::vector<SlotSpec>> SlotGroups(const OptimizerState& state);
std::vector<SlotSpec> SlotsOf(const OptimizerState& state);  // one behind the other, as OptimizerState::slots
// Makes the slots of these variables as they are before the first step.
void MakeSlots(OptimizerState& state, const std::vector<VariablePtr>& variables);
// Slots that start as their variables become what these are now.
void StartAsVariables(OptimizerState& state, const std::vector<VariablePtr>& variables);

// Steps that changed weights: without accumulation, the iterations.
int64_t UpdatesTaken(const OptimizerState& state);
// The next step: its rule, rate and factors.
tensor::UpdateArgs StepOf(const OptimizerState& state);
// The rule's slots from those of trainable variable i on.
void PointAtSlots(const OptimizerState& state, size_t variable, tensor::UpdateArgs& args);
// Whether a pass takes one variable, because the rule looks at it as a whole.
bool TakesVariablesOneByOne(const OptimizerState& state);
// The last two axes, for rules that look at matrices.
void SetMatrix(const Shape& variable, tensor::UpdateArgs& args);
// What Nadam keeps beside its slots behind t steps: the product of its shares of the momentum.
float NadamProduct(const OptimizerState& state, int64_t t);
// Whether weight decay is for this variable.
bool Decays(const OptimizerState& state, const Variable& variable);

}  // namespace headrace::keras::internal
