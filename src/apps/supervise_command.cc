#include "apps/supervise_command.h"

#include <memory>
#include <string>

#include "base/result.h"
#include "jobs/supervisor/supervisor.h"

namespace headrace::apps {

void AddSuperviseCommand(CLI::App& app) {
  auto* command = app.add_subcommand("supervise", "Run the training job that a job directory describes")->group("");
  const auto directory = std::make_shared<std::string>();
  command->add_option("job-directory", *directory, "The job's directory")->required();
  command->callback([directory] { ValueOrThrow(jobs::Supervise(*directory)); });
}

}  // namespace headrace::apps
