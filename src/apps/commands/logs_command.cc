#include "apps/commands/logs_command.h"

#include <chrono>
#include <iostream>
#include <thread>

#include "apps/client/job_log.h"
#include "apps/client/server_options.h"
#include "apps/command.h"
#include "aws/time.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kLogPoll{300};

void PrintEvent(const std::string& stream, const Json& event, OutputFormat format) {
  if (format == OutputFormat::kJson) {
    Json line = event;
    line["logStreamName"] = stream;
    std::cout << line.dump() << "\n";
  } else {
    std::cout << event["message"].get<std::string>() << "\n";
  }
}

bool HasEnded(const ApiClient& client, const std::string& job) {
  const Json found = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", job}}));
  return found["TrainingJobStatus"] != "InProgress" && found["TrainingJobStatus"] != "Stopping";
}

void RunLogs(const ServerOptions& server, const std::string& job, bool follow, OutputFormat format) {
  const ApiClient client = server.FindClient();
  JobLog log(client, job);
  // A job's whole log is there before it ends: what is read after its end is all of it.
  for (bool ended = HasEnded(client, job);; ended = HasEnded(client, job)) {
    log.ForEachNew([&](const std::string& stream, const Json& event) { PrintEvent(stream, event, format); });
    std::cout.flush();
    if (ended || !follow) return;
    std::this_thread::sleep_for(kLogPoll);
  }
}

}  // namespace

void AddLogsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("logs", "what a training job has written");
  const ServerOptions server(*command);
  auto job = std::make_shared<std::string>();
  auto follow = std::make_shared<bool>(false);
  command->add_option("JOB", *job, "the training job")->required();
  command->add_flag("-f,--follow", *follow, "go on until the job ends");
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace logs -f my-job");
  command->callback([=] { RunLogs(server, *job, *follow, *format); });
}

}  // namespace headrace::apps
