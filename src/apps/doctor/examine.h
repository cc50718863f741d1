// What the platform needs on this machine, and whether it is there.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "apps/platform/settings.h"

namespace headrace::apps {

enum class Verdict { kOk, kWarning, kFailed };
const char* NameOf(Verdict verdict);  // "ok", "warning", "failed"

struct Check {
  std::string name;
  Verdict verdict;
  std::string detail;  // what was found; what to do where it is not ok
};

// Compiles two lines, imports frameworks: takes seconds, more where many environments are registered. Any thread.
std::vector<Check> Examine(const Settings& settings);

// [{"check", "verdict", "detail"}]
nlohmann::ordered_json ToJson(const std::vector<Check>& checks);

}  // namespace headrace::apps
