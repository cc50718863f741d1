#include "apps/commands/doctor_command.h"

#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/doctor/examine.h"
#include "base/result.h"

namespace headrace::apps {
namespace {

void RunDoctor(const SettingOptions& options, OutputFormat format) {
  const std::vector<Check> checks = Examine(options.Read());
  if (format == OutputFormat::kJson) {
    std::cout << ToJson(checks).dump(2) << "\n";
  } else {
    for (const Check& check : checks)
      std::cout << fmt::format("{:<8} {:<15} {}\n", NameOf(check.verdict), check.name, check.detail);
  }
  if (std::any_of(checks.begin(), checks.end(), [](const Check& each) { return each.verdict == Verdict::kFailed; }))
    throw Error(ErrorCode::kFailedPrecondition, "something that the platform needs is missing, see above");
}

}  // namespace

void AddDoctorCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("doctor", "what the platform needs on this machine, and whether it is there");
  auto options = std::make_shared<SettingOptions>(
      *command,
      std::initializer_list<std::string_view>{"data-dir", "listen", "python", "compiler", "sandbox", "job-paths"});
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace doctor");
  command->callback([options, format] { RunDoctor(*options, *format); });
}

}  // namespace headrace::apps
