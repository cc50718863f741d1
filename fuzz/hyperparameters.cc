// A request's members and hyperparameters: JSON in strings, decoded, split, turned into arguments and judged.
#include "jobs/request/hyperparameters.h"

#include <cstdint>
#include <cstdlib>

#include "jobs/request/member_effects.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::jobs;
  const auto request = nlohmann::json::parse(bytes, bytes + size, nullptr, false);
  const auto decoded = DecodeHyperparameters(request);
  if (decoded.user.size() + decoded.framework.size() > decoded.all.size()) std::abort();
  if (ToArguments(decoded.user).size() != 2 * decoded.user.size()) std::abort();
  for (const auto& [name, value] : decoded.all.items()) (void)ToVariable(value);
  (void)decoded.Text("sagemaker_submit_directory");
  (void)LinesOf(EffectsOfTrainingJob(request));
  for (const auto members : {ModelMembers(), EndpointConfigMembers(), TransformJobMembers()})
    (void)LinesOf(EffectsOf(members, request));
  return 0;
}
