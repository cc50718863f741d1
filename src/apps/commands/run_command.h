#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace run FILE.cpp ARGUMENTS…: the C++ runtime of training jobs by hand.
void AddRunCommand(CLI::App& app);

}  // namespace headrace::apps
