#pragma once

#include <ostream>

#include <CLI/CLI.hpp>

namespace headrace::apps {

// headrace env: what a shell needs so that AWS clients talk to the server here.
void AddEnvCommand(CLI::App& app);

// What eval does when the command could not do its work: clients reach nobody, instead of the real AWS, and it fails.
void PrintEnvFailure(std::ostream& out);

}  // namespace headrace::apps
