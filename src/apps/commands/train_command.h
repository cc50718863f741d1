// headrace train: runs a training job.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddTrainCommand(CLI::App& app);

}  // namespace headrace::apps
