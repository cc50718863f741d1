// headrace train SOURCE --input CHANNEL=DIRECTORY|s3://…
#include "apps/commands/train_command.h"

#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/client/server_options.h"
#include "apps/client/shown_transfer.h"
#include "apps/command.h"
#include "apps/commands/train_arguments.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

// Channels as S3 prefixes: directories and files of this machine are uploaded below the job's own prefix.
sagemaker::Inputs UploadInputs(const TrainArguments& arguments, const std::string& job,
                               const sagemaker::Session& session) {
  sagemaker::Inputs inputs;
  for (const auto& [channel, place] : PairsOf("--input", arguments.inputs)) {
    std::string uri = place;
    if (!place.starts_with("s3://")) {
      uri = "s3://" + session.default_bucket() + "/" + job + "/input/" + channel;
      sagemaker::S3Uploader::upload(place, uri, session, ShownTransfer("uploading " + place));
    }
    inputs.emplace(channel, uri);
  }
  return inputs;
}

Json Summary(const sagemaker::TrainingJob& job) {
  return {{"TrainingJobName", job.name},
          {"TrainingJobStatus", job.status},
          {"S3ModelArtifacts", job.model_data},
          {"TrainingTimeInSeconds", job.training_seconds},
          {"FinalMetrics", job.final_metrics}};
}

void Train(const ServerOptions& server, const TrainArguments& arguments, OutputFormat format) {
  const sagemaker::Session session = server.FindSession();
  sagemaker::EstimatorOptions options = EstimatorOf(arguments);
  options.role = arguments.role.empty() ? sagemaker::get_execution_role(session) : arguments.role;
  sagemaker::TensorFlow estimator(options, session);
  const std::string job = arguments.name.empty() ? sagemaker::name_from_base(options.base_job_name) : arguments.name;
  sagemaker::FitOptions fit{.wait = !arguments.no_wait, .logs = !arguments.no_logs, .job_name = job};
  // JSON has the standard output for itself.
  if (format == OutputFormat::kJson) fit.print = [](std::string_view line) { std::cerr << line << "\n"; };
  estimator.fit(UploadInputs(arguments, job, session), fit);
  if (format == OutputFormat::kJson) {
    std::cout << Summary(estimator.latest_training_job()).dump(2) << "\n";
  } else {
    std::cout << job << "\n";
  }
}

}  // namespace

void AddTrainCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("train", "runs a training job and follows its log; prints the job's name at the end");
  const ServerOptions server(*command);
  auto arguments = std::make_shared<TrainArguments>();
  AddTrainArguments(*command, *arguments);
  auto format = AddOutputOption(*command);
  command->callback([=] { Train(server, *arguments, *format); });
  SetExample(*command,
             "headrace train keras_cifar10.cpp --input train=data/train --input validation=data/validation --input "
             "eval=data/eval -p epochs=10");
}

}  // namespace headrace::apps
