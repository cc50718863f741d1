#include "sagemaker/credentials/chain.h"

#include "sagemaker/credentials/places.h"

namespace headrace::sagemaker {
namespace {

constexpr const char* kNowhere =
    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`headrace env` prints those of a server), or "
    "name a "
    "profile that has some in AWS_PROFILE";

}  // namespace

Outcome<FoundCredentials> FindCredentials(const CredentialPlaces& places) {
  const std::string& profile = places.settings.profile_name();
  // A profile that the program names counts more than variables.
  const bool variables = !places.settings.profile_is_explicit();
  const std::function<Found()> chain[] = {
      [&] { return variables ? KeysOfEnvironment(places.settings.environment()) : Nothing(); },
      [&] { return KeysOfRole(places, profile); },
      [&] { return KeysOfProfile(places, profile, variables); },
      [&] { return KeysOfContainer(places); },
      [&] { return places.instance_metadata ? KeysOfMachine(places) : Nothing(); },
  };
  for (const auto& place : chain) {
    Found found = place();
    if (!found.ok()) return found.error();
    if (found->has_value()) return **found;
  }
  return LocalError(ErrorCode::kFailedPrecondition, "NoCredentials", kNowhere);
}

}  // namespace headrace::sagemaker
