#include "jobs/directory/checkpoint_place.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/beneath.h"

namespace headrace::jobs {
namespace {

// The first parts of paths that belong to the system inside a sandbox, or to the platform.
constexpr std::array<std::string_view, 18> kSystemParts = {"bin",   "boot",   "dev", "etc",  "lib",  "lib32",
                                                           "lib64", "libx32", "nix", "proc", "run",  "sbin",
                                                           "sys",   "usr",    "var", "tmp",  "root", "opt"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kOwn = {
    {{"opt/ml/", "ml/"}, {"tmp/", "tmp/"}, {"root/", "home/"}}};

}  // namespace

std::optional<CheckpointPlace> PlaceOfCheckpoints(std::string_view local_path) {
  if (local_path.empty()) local_path = "/opt/ml/checkpoints";
  if (!local_path.starts_with('/')) return std::nullopt;
  local_path.remove_prefix(1);
  if (local_path.ends_with('/')) local_path.remove_suffix(1);
  if (!IsSafeRelativePath(local_path)) return std::nullopt;
  for (const auto& [inside, outside] : kOwn)
    if (local_path.starts_with(inside))
      return CheckpointPlace{std::string(outside) + std::string(local_path.substr(inside.size())), false};
  const auto first = local_path.substr(0, local_path.find('/'));
  const bool of_opt = first == "opt" && local_path.size() > 4 && !local_path.starts_with("opt/ml") &&
                      !local_path.starts_with("opt/headrace");
  if (!of_opt && std::find(kSystemParts.begin(), kSystemParts.end(), first) != kSystemParts.end()) return std::nullopt;
  return CheckpointPlace{"checkpoints", true};
}

}  // namespace headrace::jobs
