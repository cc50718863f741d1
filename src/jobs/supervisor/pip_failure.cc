#include "jobs/supervisor/pip_failure.h"

#include <algorithm>
#include <string_view>

namespace headrace::jobs {
namespace {

// What is beyond this would crowd out the errors themselves.
constexpr size_t kRoom = 700;

bool IsError(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return line.starts_with("ERROR") || line.starts_with("error:") || line.find("No module named pip") != line.npos;
}

// pip says it in its warnings, once for each attempt.
bool SaysUnreachable(std::string_view line) {
  return line.find("after connection broken by") != line.npos || line.find("Could not fetch URL") != line.npos;
}

}  // namespace

std::string PipFailure(const std::vector<std::string>& last_lines) {
  std::string text;
  const auto add = [&text](std::string_view line) {
    if (!text.empty()) text += '\n';
    text += line;
  };
  if (std::any_of(last_lines.begin(), last_lines.end(), SaysUnreachable))
    add("the package index cannot be reached from the job (without a network, bring the wheels in the source and let "
        "requirements.txt begin with --no-index and --find-links DIRECTORY)");
  const auto first = std::find_if(last_lines.begin(), last_lines.end(), IsError);
  if (first == last_lines.end() && text.empty()) {
    for (const auto& line : last_lines) add(line);
    return text;
  }
  const auto introduction = text;
  for (auto line = first; line != last_lines.end(); ++line)
    if (!line->starts_with("WARNING")) add(*line);
  if (text.size() - introduction.size() <= kRoom) return text;
  text = introduction;
  for (const auto& line : last_lines)
    if (IsError(line)) add(line);
  return text;
}

}  // namespace headrace::jobs
