// `headrace python`: the interpreters that run training programs, one a framework and version.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddPythonCommand(CLI::App& app);

}  // namespace headrace::apps
