// headrace metrics: a training job's metrics, sample by sample or by period.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddMetricsCommand(CLI::App& app);

}  // namespace headrace::apps
