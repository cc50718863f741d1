// Callbacks' states in a checkpoint: a JSON list of {"type", "state"}. A state belongs to the callback that is the
// same number of its type in the list, so callbacks of other types may come and go between two runs.
#include <map>
#include <string>
#include <typeinfo>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "keras/model_state.h"

namespace headrace::keras::internal {

std::string CallbackStates(const std::vector<CallbackPtr>& callbacks) {
  auto list = nlohmann::json::array();
  for (const CallbackPtr& callback : callbacks) {
    const Callback& reference = *callback;
    list.push_back({{"type", typeid(reference).name()}, {"state", callback->state()}});
  }
  return list.dump();
}

void RestoreCallbackStates(const std::string& text, const std::vector<CallbackPtr>& callbacks) {
  std::map<std::string, std::vector<std::string>> states;
  try {
    for (const auto& entry : nlohmann::json::parse(text)) {
      states[entry.at("type").get<std::string>()].push_back(entry.at("state").get<std::string>());
    }
    std::map<std::string, size_t> seen;
    for (const CallbackPtr& callback : callbacks) {
      const Callback& reference = *callback;
      const std::string type = typeid(reference).name();
      const size_t number = seen[type]++;
      const auto& kept = states[type];
      if (number < kept.size() && !kept[number].empty()) callback->restore_state(kept[number]);
    }
  } catch (const nlohmann::json::exception& error) {
    throw MakeError(ErrorCode::kDataLoss, "callbacks' states in the checkpoint cannot be read: {}", error.what());
  }
}

}  // namespace headrace::keras::internal
