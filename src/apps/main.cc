// The `headrace` program: one line a subcommand.
#include <iostream>

#include "apps/commands/completion_command.h"
#include "apps/commands/console_command.h"
#include "apps/commands/dataset_command.h"
#include "apps/commands/deploy_command.h"
#include "apps/commands/doctor_command.h"
#include "apps/commands/download_command.h"
#include "apps/commands/endpoints_command.h"
#include "apps/commands/env_command.h"
#include "apps/commands/evaluate_command.h"
#include "apps/commands/images_command.h"
#include "apps/commands/invoke_command.h"
#include "apps/commands/jobs_command.h"
#include "apps/commands/keys_command.h"
#include "apps/commands/logs_command.h"
#include "apps/commands/metrics_command.h"
#include "apps/commands/model_server_command.h"
#include "apps/commands/pipe_command.h"
#include "apps/commands/predict_command.h"
#include "apps/commands/python_command.h"
#include "apps/commands/run_command.h"
#include "apps/commands/serve_command.h"
#include "apps/commands/train_command.h"
#include "apps/commands/transform_command.h"
#include "apps/commands/upload_command.h"
#include "apps/run.h"

int main(int argc, char** argv) {
  using namespace headrace::apps;
  const std::vector<AddCommand> commands = {
      AddServeCommand,     AddEnvCommand,       AddKeysCommand,       AddDoctorCommand,     AddDatasetCommand,
      AddImagesCommand,    AddEvaluateCommand,  AddPipeCommand,       AddPredictCommand,    AddJobsCommand,
      AddEndpointsCommand, AddLogsCommand,      AddUploadCommand,     AddTrainCommand,      AddDeployCommand,
      AddInvokeCommand,    AddTransformCommand, AddDownloadCommand,   AddMetricsCommand,    AddRunCommand,
      AddPythonCommand,    AddConsoleCommand,   AddCompletionCommand, AddModelServerCommand};
  return Run(commands, {argv + 1, argv + argc}, std::cout, std::cerr);
}
