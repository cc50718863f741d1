// headrace completion SHELL: what a shell reads to complete command lines; headrace complete: what it then asks.
#pragma once

#include <CLI/CLI.hpp>

namespace headrace::apps {

void AddCompletionCommand(CLI::App& app);

}  // namespace headrace::apps
