#include "apps/run.h"

#include <algorithm>
#include <exception>

#include "headrace/error.h"

#include "apps/commands/env_command.h"

namespace headrace::apps {
namespace {

// The innermost subcommand that was named: its --help is the one that explains a mistake.
const CLI::App& Named(const CLI::App& app) {
  const CLI::App* command = &app;
  for (auto inner = command->get_subcommands(); !inner.empty(); inner = command->get_subcommands()) {
    command = inner.front();
  }
  return *command;
}

std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

std::string OneLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

int Fail(std::ostream& err, const std::string& message, int code) {
  err << "headrace: " << OneLine(message) << std::endl;
  return code;
}

}  // namespace

int Run(const std::vector<AddCommand>& commands, std::vector<std::string> arguments, std::ostream& out,
        std::ostream& err) {
  CLI::App app("Trains and serves Keras models on your own machines.", "headrace");
  app.set_version_flag("--version", "headrace " HEADRACE_VERSION);
  app.require_subcommand(1);
  for (AddCommand add : commands) add(app);
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes a vector from its back
    app.parse(std::move(arguments));
    return kDone;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help, --version
      app.exit(error, out, err);
      return kDone;
    }
    if (Named(app).get_name() == "env") PrintEnvFailure(out);  // eval must see it, whatever was wrong
    return Fail(err, std::string(error.what()) + " (see " + FullName(Named(app)) + " --help)", kWrongUsage);
  } catch (const std::exception& error) {
    return Fail(err, error.what(), kFailed);
  }
}

}  // namespace headrace::apps
