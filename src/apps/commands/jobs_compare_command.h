#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace jobs compare: speed, cost and curves of training jobs side by side. `jobs` is `headrace jobs`.
void AddJobsCompareCommand(CLI::App& jobs);

}  // namespace headrace::apps
