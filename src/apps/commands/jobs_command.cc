#include "apps/commands/jobs_command.h"

#include <chrono>
#include <iostream>
#include <thread>

#include "apps/client/server_options.h"
#include "apps/command.h"
#include "apps/commands/jobs_compare_command.h"
#include "aws/time.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kPoll{500};

std::string Time(const Json& seconds) {
  return seconds.is_number() ? aws::Iso8601(static_cast<UnixMillis>(seconds.get<double>()) * 1000) : "-";
}

Json Describe(const ApiClient& client, const std::string& name) {
  return ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", name}}));
}

void PrintJob(const Json& job) {
  std::cout << fmt::format("{}  {} ({})\n", job["TrainingJobName"].get<std::string>(),
                           job["TrainingJobStatus"].get<std::string>(), job["SecondaryStatus"].get<std::string>());
  for (const auto& step : job["SecondaryStatusTransitions"]) {
    const bool ended = step.contains("EndTime");
    const std::string took =
        ended ? fmt::format("{:.3f} s", step["EndTime"].get<double>() - step["StartTime"].get<double>()) : "now";
    std::cout << fmt::format("  {} {:<20} {:>12}  {}\n", Time(step["StartTime"]), step["Status"].get<std::string>(),
                             took, step["StatusMessage"].get<std::string>());
  }
  for (const auto& metric : job.value("FinalMetricDataList", Json::array())) {
    std::cout << fmt::format("  {} = {}\n", metric["MetricName"].get<std::string>(), metric["Value"].get<double>());
  }
  if (job.contains("FailureReason")) std::cout << "  " << job["FailureReason"].get<std::string>() << "\n";
  if (job["TrainingJobStatus"] == "Completed") {
    std::cout << "  " << job["ModelArtifacts"]["S3ModelArtifacts"].get<std::string>() << "\n";
  }
}

void List(const ApiClient& client, const std::string&, OutputFormat format) {
  Json all = Json::array(), input{{"MaxResults", 100}, {"SortBy", "CreationTime"}, {"SortOrder", "Descending"}};
  while (true) {
    const Json page = ValueOrThrow(client.Call("sagemaker", "ListTrainingJobs", input));
    for (const auto& job : page["TrainingJobSummaries"]) all.push_back(job);
    if (!page.contains("NextToken")) break;
    input["NextToken"] = page["NextToken"];
  }
  if (format == OutputFormat::kJson) {
    std::cout << all.dump(2) << "\n";
    return;
  }
  for (const auto& job : all) {
    std::cout << fmt::format("{:<63} {:<12} {}\n", job["TrainingJobName"].get<std::string>(),
                             job["TrainingJobStatus"].get<std::string>(), Time(job["CreationTime"]));
  }
}

void Show(const ApiClient& client, const std::string& name, OutputFormat format) {
  const Json job = Describe(client, name);
  if (format == OutputFormat::kJson) {
    std::cout << job.dump(2) << "\n";
  } else {
    PrintJob(job);
  }
}

void Stop(const ApiClient& client, const std::string& name, OutputFormat format) {
  ValueOrThrow(client.Call("sagemaker", "StopTrainingJob", {{"TrainingJobName", name}}));
  Show(client, name, format);
}

void Wait(const ApiClient& client, const std::string& name, OutputFormat format) {
  for (Json job = Describe(client, name);; job = Describe(client, name)) {
    const std::string status = job["TrainingJobStatus"];
    if (status == "InProgress" || status == "Stopping") {
      std::this_thread::sleep_for(kPoll);
      continue;
    }
    Show(client, name, format);
    if (status != "Failed") return;
    throw MakeError(ErrorCode::kFailedPrecondition, "{} failed: {}", name,
                    job.value("FailureReason", "no reason given"));
  }
}

void AddAction(CLI::App& jobs, const char* action, const char* help, bool takes_name,
               void (*act)(const ApiClient&, const std::string&, OutputFormat)) {
  CLI::App* command = jobs.add_subcommand(action, help);
  const ServerOptions server(*command);
  auto name = std::make_shared<std::string>();
  if (takes_name) command->add_option("JOB", *name, "the training job")->required();
  auto format = AddOutputOption(*command);
  command->callback([=] { act(server.FindClient(), *name, *format); });
}

}  // namespace

void AddJobsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("jobs", "training jobs: list, describe, stop, wait, compare");
  command->require_subcommand(1);
  AddAction(*command, "list", "all jobs, newest first", false, List);
  AddAction(*command, "describe", "one job: its phases, times, metrics and why it failed", true, Show);
  AddAction(*command, "stop", "ask a job to stop", true, Stop);
  AddAction(*command, "wait", "wait until a job has ended; exit code 1 when it failed", true, Wait);
  AddJobsCompareCommand(*command);
  SetExample(*command, "headrace jobs describe my-job");
}

}  // namespace headrace::apps
