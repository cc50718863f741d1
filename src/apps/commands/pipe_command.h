// `headrace pipe`: looks into what Pipe mode streams.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddPipeCommand(CLI::App& app);

}  // namespace headrace::apps
