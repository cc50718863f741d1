// headrace deploy: hosts the model of a training job.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddDeployCommand(CLI::App& app);

}  // namespace headrace::apps
