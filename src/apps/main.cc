// The `headrace` program: one line a subcommand.
#include <iostream>

#include "apps/dataset_command.h"
#include "apps/deploy_command.h"
#include "apps/doctor_command.h"
#include "apps/endpoints_command.h"
#include "apps/env_command.h"
#include "apps/evaluate_command.h"
#include "apps/images_command.h"
#include "apps/invoke_command.h"
#include "apps/jobs_command.h"
#include "apps/keys_command.h"
#include "apps/logs_command.h"
#include "apps/metrics_command.h"
#include "apps/model_server_command.h"
#include "apps/pipe_command.h"
#include "apps/predict_command.h"
#include "apps/run.h"
#include "apps/run_command.h"
#include "apps/serve_command.h"
#include "apps/supervise_command.h"
#include "apps/train_command.h"
#include "apps/upload_command.h"

int main(int argc, char** argv) {
  using namespace headrace::apps;
  const std::vector<AddCommand> commands = {
      AddServeCommand,     AddEnvCommand,      AddKeysCommand,   AddDoctorCommand,    AddDatasetCommand,
      AddImagesCommand,    AddEvaluateCommand, AddPipeCommand,   AddPredictCommand,   AddJobsCommand,
      AddEndpointsCommand, AddLogsCommand,     AddUploadCommand, AddTrainCommand,     AddDeployCommand,
      AddInvokeCommand,    AddMetricsCommand,  AddRunCommand,    AddSuperviseCommand, AddModelServerCommand};
  return Run(commands, {argv + 1, argv + argc}, std::cout, std::cerr);
}
