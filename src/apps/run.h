// Run: the `headrace` program without its process, so that tests can call it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "apps/command.h"

namespace headrace::apps {

inline constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2;

using AddCommand = void (*)(CLI::App&);

// Parses `arguments` (without the program's name), runs the subcommand among `commands` that they name, and returns
// the exit code. Errors go to `err` as one line, help to `out`.
int Run(const std::vector<AddCommand>& commands, std::vector<std::string> arguments, std::ostream& out,
        std::ostream& err);

}  // namespace headrace::apps
