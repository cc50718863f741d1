// What the subcommands share. One file a subcommand: NAME_command.{h,cc} declares `void AddNameCommand(CLI::App&)`,
// which adds options, a footer with an example, and the callback that does the work; main.cc lists them all.
//
// A callback prints its results to standard output and throws headrace::Error (exit code 1) or CLI::ValidationError
// (wrong usage, exit code 2); main.cc prints either as one line on standard error.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace headrace::apps {

enum class OutputFormat { kText, kJson };

// Adds `-o, --output text|json`; the value is valid once the command line has been parsed. Text is for people and may
// change; JSON is one value, stable for scripts.
std::shared_ptr<OutputFormat> AddOutputOption(CLI::App& command);

// The example that --help shows behind the options.
void SetExample(CLI::App& command, const std::string& example);

}  // namespace headrace::apps
