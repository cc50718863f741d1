#include "apps/commands/supervise_command.h"

#include <memory>
#include <string>

#include "base/result.h"
#include "jobs/supervisor/supervisor.h"

namespace headrace::apps {

void AddSuperviseCommand(CLI::App& app) {
  auto* command =
      app.add_subcommand("supervise", "Run a host of the training job that a job directory describes")->group("");
  const auto directory = std::make_shared<std::string>(), host = std::make_shared<std::string>();
  command->add_option("job-directory", *directory, "The job's directory")->required();
  command->add_option("host", *host, "Its name: algo-1")->required();
  command->callback([directory, host] { ValueOrThrow(jobs::Supervise(*directory, *host)); });
}

}  // namespace headrace::apps
