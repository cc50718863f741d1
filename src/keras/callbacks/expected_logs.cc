#include <utility>

#include "keras/callbacks/callbacks.h"

namespace headrace::keras::internal {

ExpectedLogs ExpectLogs(Logs of_epoch, const std::vector<CallbackPtr>& callbacks) {
  ExpectedLogs expected{.logs = std::move(of_epoch)};
  for (const CallbackPtr& callback : callbacks) {
    const auto* built_in = dynamic_cast<const BuiltInCallback*>(callback.get());
    const auto added = built_in != nullptr ? built_in->AddedLogs() : std::nullopt;
    expected.complete = expected.complete && added.has_value();
    for (const auto& name : added.value_or(std::vector<std::string>())) expected.logs.Set(name, 0);
  }
  return expected;
}

}  // namespace headrace::keras::internal
