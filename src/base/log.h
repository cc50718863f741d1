// The program's own log: one line an event, to standard error or a file. Never log a secret: keys, tokens, signatures.
#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/result.h"

namespace headrace {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Where lines go and from which level on; call once in main, before threads. An empty path: standard error.
// Until then lines of kInfo and above go to standard error.
Status ConfigureLog(LogLevel level, const std::string& path);

void LogLine(LogLevel level, std::string_view message);

// Log(LogLevel::kInfo, "job {}: {}", name, status);
template <typename... Args>
void Log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  LogLine(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace headrace
