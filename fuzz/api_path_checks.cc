// Paths of requests: whatever is accepted stays where it says, and no request does harm while it is checked.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/sagemaker/path_checks.h"
#include "base/beneath.h"
#include "jobs/directory/checkpoint_place.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

bool LeadsUp(std::string_view path) { return ("/" + std::string(path) + "/").find("/../") != std::string::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (IsSafeRelativePath(text))
    Require(!LeadsUp(text) && text.front() != '/' && text.find('\0') == std::string_view::npos);
  if (api::sagemaker::WrongWithContainerPath(text).empty()) Require(text.front() == '/' && !LeadsUp(text));
  if (const auto place = jobs::PlaceOfCheckpoints(text)) Require(IsSafeRelativePath(place->below_host));
  const auto request = nlohmann::json::parse(text, nullptr, false);
  if (request.is_object()) {
    api::Violations violations;
    api::sagemaker::CheckPaths(request, violations);
    api::sagemaker::CheckTexts(request, violations);
    if (!violations.empty()) Require(!violations.Message().empty());
  }
  return 0;
}
