#include "jobs/python/requirements_text.h"

#include <algorithm>
#include <array>
#include <string>

namespace headrace::jobs {
namespace {

// Options that name no file.
constexpr std::array<std::string_view, 10> kOptions = {"--hash",
                                                       "--index-url",
                                                       "-i",
                                                       "--extra-index-url",
                                                       "--pre",
                                                       "--only-binary",
                                                       "--no-binary",
                                                       "--prefer-binary",
                                                       "--require-hashes",
                                                       "--trusted-host"};

std::string_view Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\\");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\\") - first + 1);
}

// Without a comment, which begins a line or follows white space.
std::string_view WithoutComment(std::string_view line) {
  for (auto at = line.find('#'); at != line.npos; at = line.find('#', at + 1))
    if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
  return line;
}

bool IsPlainOption(std::string_view line) {
  const auto name = line.substr(0, line.find_first_of(" =\t"));
  return std::find(kOptions.begin(), kOptions.end(), name) != kOptions.end();
}

// "name[extra]>=1.0,<2 ; python_version > '3.8' --hash=sha256:…": no address, and nothing that is a path.
bool IsPlainRequirement(std::string_view line) {
  const auto first = static_cast<unsigned char>(line.front());
  if (std::isalnum(first) == 0) return false;
  const auto requirement = line.substr(0, line.find(" --hash"));
  return requirement.find_first_of("@/") == requirement.npos && !requirement.ends_with(".whl") &&
         !requirement.ends_with(".zip") && !requirement.ends_with(".gz");
}

}  // namespace

bool SaysAllOfItself(std::string_view requirements) {
  while (!requirements.empty()) {
    const auto end = std::min(requirements.find('\n'), requirements.size());
    const auto line = Trimmed(WithoutComment(requirements.substr(0, end)));
    requirements.remove_prefix(std::min(end + 1, requirements.size()));
    if (line.empty()) continue;
    if (line.front() == '-' ? !IsPlainOption(line) : !IsPlainRequirement(line)) return false;
  }
  return true;
}

}  // namespace headrace::jobs
