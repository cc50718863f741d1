#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace supervise JOBDIR HOST: the process that runs one host of a training job. Started by the server, hidden from
// --help.
void AddSuperviseCommand(CLI::App& app);

}  // namespace headrace::apps
