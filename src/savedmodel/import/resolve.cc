#include <charconv>
#include <filesystem>
#include <optional>

#include "headrace/savedmodel.h"

#include "base/result.h"

namespace headrace::savedmodel {
namespace {

namespace fs = std::filesystem;

bool HoldsModel(const fs::path& directory) {
  std::error_code ignored;
  return fs::is_regular_file(directory / "saved_model.pb", ignored);
}

std::optional<uint64_t> VersionOf(const fs::path& directory) {
  const std::string name = directory.filename().string();
  uint64_t version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  const bool number = error == std::errc() && end == name.data() + name.size();
  return number && HoldsModel(directory) ? std::optional(version) : std::nullopt;
}

}  // namespace

std::string ResolveVersion(const std::string& directory) {
  if (HoldsModel(directory)) return directory;
  std::optional<uint64_t> highest;
  std::string found;
  std::error_code error;
  for (const auto& child : fs::directory_iterator(directory, error)) {
    const auto version = VersionOf(child.path());
    if (!version || (highest && *version <= *highest)) continue;
    highest = version;
    found = child.path().string();
  }
  if (!highest)
    throw MakeError(ErrorCode::kNotFound,
                    "{}: no SavedModel here: wanted saved_model.pb, or a directory named by a number that holds one{}",
                    directory, error ? " (" + error.message() + ")" : "");
  return found;
}

}  // namespace headrace::savedmodel
