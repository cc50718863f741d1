#include <algorithm>
#include <cstring>
#include <map>

#include "base/result.h"
#include "keras/hdf5/weights.h"
#include "keras/layers/checks.h"
#include "keras/optimizer_rules.h"

namespace headrace::keras::internal::hdf5 {
namespace {

struct SlotPlace {
  size_t slot, variable;
};
// As Keras makes them: a group of slots variable by variable, then the next group.
std::vector<SlotPlace> SlotOrder(const OptimizerState& optimizer, size_t variables) {
  std::vector<SlotPlace> order;
  size_t first = 0;
  for (const auto& group : SlotGroups(optimizer)) {
    for (size_t variable = 0; variable < variables; ++variable)
      for (size_t slot = 0; slot < group.size(); ++slot) order.push_back({first + slot, variable});
    first += group.size();
  }
  return order;
}

// "adam/conv2d_kernel_momentum"
std::string SlotPath(const OptimizerState& optimizer, const Variable& variable, const std::string& slot) {
  std::string path = variable.name;
  std::replace(path.begin(), path.end(), '/', '_');
  return Lowercase(NameOf(optimizer.kind)) + "/" + path + "_" + slot;
}

constexpr const char* kIterations = "iterations";
constexpr const char* kLearningRate = "learning_rate";
constexpr const char* kUnknown = "";

std::vector<std::string> Components(std::string path) {
  if (const size_t colon = path.rfind(':'); colon != std::string::npos) path.erase(colon);
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// What a dataset holds, from its name: kIterations, kLearningRate, one of our slots' names, or kUnknown.
//   Keras 3              adam/iteration, adam/learning_rate, adam/conv2d_kernel_momentum
//   Keras 2.11 to 2.15   iteration:0, Adam/m/conv2d/kernel:0
//   Keras 2, older       Adam/iter:0, Adam/conv2d/kernel/m:0
std::string RoleOf(const std::string& name, const OptimizerState& optimizer) {
  const std::vector<std::string> parts = Components(name);
  const std::string& last = parts.back();
  if (last == "iteration" || last == "iter" || last == "iterations") return kIterations;
  if (last == "learning_rate" || last == "_current_learning_rate") return kLearningRate;
  const auto ends_with = [&](const std::string& end) { return last.ends_with(end); };
  const auto has = [&](const char* part) { return last == part || (parts.size() > 2 && parts[1] == part); };
  for (const SlotSpec& slot : SlotsOf(optimizer))
    if (ends_with("_" + slot.name)) return slot.name;
  const bool adam = optimizer.kind == OptimizerState::Kind::kAdam;
  if (has("m") || has("momentum")) return "momentum";
  if (has("velocity") || has(adam ? "v" : "rms")) return "velocity";
  return kUnknown;
}

// The file's datasets by role, each in the file's order.
class SavedOptimizer {
 public:
  SavedOptimizer(Group group, const OptimizerState& optimizer) : group_(std::move(group)) {
    auto names = group_.Texts("weight_names");
    if (!names) throw MakeError(ErrorCode::kDataLoss, "{}: no attribute \"weight_names\"", group_.path());
    for (const std::string& name : *names) by_role_[RoleOf(name, optimizer)].push_back(name);
    if (by_role_[kIterations].empty() && !by_role_[kUnknown].empty()) NameByOrder(optimizer);
  }

  const Group& group() const { return group_; }
  const std::vector<std::string>& Of(const std::string& role) { return by_role_[role]; }
  // Before the first step a file has none; nor has one that Keras 3 loaded and saved again, as its loader for these
  // files forgets them.
  bool HasSlots(const OptimizerState& optimizer) {
    return std::any_of(optimizer.slots.begin(), optimizer.slots.end(),
                       [&](const Slot& slot) { return !Of(slot.name).empty(); });
  }

 private:
  // Keras 2.3 calls everything Variable: iterations first, then slot by slot.
  void NameByOrder(const OptimizerState& optimizer) {
    std::vector<std::string> names = std::move(by_role_[kUnknown]);
    by_role_[kUnknown].clear();
    by_role_[kIterations] = {names[0]};
    const std::vector<SlotSpec> slots = SlotsOf(optimizer);
    const size_t each = slots.empty() ? 0 : (names.size() - 1) / slots.size();
    for (size_t i = 0; i < each * slots.size(); ++i) by_role_[slots[i / each].name].push_back(names[i + 1]);
  }

  Group group_;
  std::map<std::string, std::vector<std::string>> by_role_;
};

std::vector<Tensor> ReadSlot(SavedOptimizer& saved, const SlotSpec& slot, const std::vector<VariablePtr>& variables) {
  const std::vector<std::string>& names = saved.Of(slot.name);
  if (names.size() != variables.size())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found {} values of slot {}, wanted {}, one for each trained weight", saved.group().path(),
                    names.size(), slot.name, variables.size());
  std::vector<Tensor> values;
  for (size_t i = 0; i < names.size(); ++i) {
    const Shape found = saved.group().ShapeOf(names[i]), wanted = ShapeOfSlot(slot, variables[i]->value.shape());
    if (found != wanted)
      throw MakeError(ErrorCode::kInvalidArgument, "{}/{}: found shape {} for {}, wanted {}", saved.group().path(),
                      names[i], found.ToString(), variables[i]->name, wanted.ToString());
    values.push_back(saved.group().ReadFloats(names[i]));
  }
  return values;
}

}  // namespace

void WriteOptimizer(Group& root, const Compiled& compiled) {
  const OptimizerState& optimizer = *compiled.optimizer.state();
  const std::string prefix = Lowercase(NameOf(optimizer.kind));
  Group group = root.CreateGroup("optimizer_weights");
  std::vector<std::string> names;
  const auto write = [&](const std::string& name, const Tensor& value) {
    group.Write(name, value);
    names.push_back(name);
  };
  write(prefix + "/iteration", Tensor::Scalar(optimizer.iterations));
  if (!optimizer.schedule) write(prefix + "/learning_rate", Tensor::Scalar(optimizer.learning_rate));
  // None before the first step, or another model's when that one trained with the same optimizer.
  const bool mine = !optimizer.slots.empty() && optimizer.slots[0].values.size() == compiled.trainable.size();
  const std::vector<Slot> slots = mine ? optimizer.slots : std::vector<Slot>{};
  if (mine)
    for (const auto& [slot, variable] : SlotOrder(optimizer, compiled.trainable.size()))
      write(SlotPath(optimizer, *compiled.trainable[variable], slots[slot].name), slots[slot].values[variable]);
  // Behind its slots Keras's Nadam keeps what follows from the number of steps.
  if (optimizer.kind == OptimizerState::Kind::kNadam)
    write(prefix + "/variable", Tensor::Scalar(NadamProduct(optimizer, UpdatesTaken(optimizer))));
  group.SetTexts("weight_names", names);
}

void ReadOptimizer(const Group& root, ModelState& state) {
  OptimizerState& optimizer = *state.compiled->optimizer.state();
  SavedOptimizer saved(root.OpenGroup("optimizer_weights"), optimizer);
  if (saved.Of(kIterations).empty())
    throw MakeError(ErrorCode::kDataLoss, "{}: no count of iterations", saved.group().path());
  const int64_t iterations = saved.group().ReadInteger(saved.Of(kIterations)[0]);
  state.EnsureSlots();
  const std::vector<SlotSpec> specs = SlotsOf(optimizer);
  std::vector<std::vector<Tensor>> values;
  if (saved.HasSlots(optimizer))
    for (const SlotSpec& slot : specs) values.push_back(ReadSlot(saved, slot, state.compiled->trainable));
  float learning_rate = optimizer.learning_rate;
  if (const auto& names = saved.Of(kLearningRate); !names.empty() && saved.group().ShapeOf(names[0]).size() == 1)
    learning_rate = saved.group().ReadFloats(names[0]).data<float>()[0];
  optimizer.iterations = iterations;
  optimizer.learning_rate = learning_rate;
  for (size_t i = 0; i < optimizer.slots.size(); ++i)
    for (size_t j = 0; j < optimizer.slots[i].values.size(); ++j) {
      Tensor& value = optimizer.slots[i].values[j];
      if (values.empty() && specs[i].starts_as_variable)
        std::memcpy(value.raw(), state.compiled->trainable[j]->value.raw(), value.bytes());
      else if (values.empty())
        std::fill_n(value.data<float>(), value.size(), specs[i].initial);
      else
        std::memcpy(value.raw(), values[i][j].raw(), value.bytes());
    }
}

}  // namespace headrace::keras::internal::hdf5
