// headrace jobs: what training jobs there are, how one stands, stopping and waiting.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddJobsCommand(CLI::App& app);

}  // namespace headrace::apps
