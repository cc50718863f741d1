#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace env: what a shell needs so that AWS clients talk to the server here.
void AddEnvCommand(CLI::App& app);

}  // namespace headrace::apps
