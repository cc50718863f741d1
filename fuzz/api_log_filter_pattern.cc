// A CloudWatch Logs filter pattern, and behind the first line break the message it is tried on.
#include <string_view>

#include "api/logs/filter_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const size_t line = text.find('\n');
  const auto pattern = headrace::api::logs::FilterPattern::Parse(text.substr(0, line));
  if (pattern) (void)pattern->Matches(line == std::string_view::npos ? text : text.substr(line + 1));
  return 0;
}
