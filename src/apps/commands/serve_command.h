#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace serve: the platform, until it is told to stop.
void AddServeCommand(CLI::App& app);

}  // namespace headrace::apps
