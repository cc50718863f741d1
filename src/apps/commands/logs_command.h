// headrace logs: a training job's log, and with --follow what it writes from now on.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddLogsCommand(CLI::App& app);

}  // namespace headrace::apps
