#include "apps/logs_command.h"

#include <chrono>
#include <iostream>
#include <thread>

#include "apps/api_client.h"
#include "apps/command.h"
#include "apps/settings.h"
#include "aws/time.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr const char* kGroup = "/aws/sagemaker/TrainingJobs";
constexpr std::chrono::milliseconds kLogPoll{300};

class LogReader {
 public:
  LogReader(const ApiClient& client, const std::string& job, OutputFormat format)
      : client_(client), job_(job), format_(format) {}

  // Prints what has come in since the last call.
  void PrintNew() {
    const auto streams =
        client_.Call("logs", "DescribeLogStreams", {{"logGroupName", kGroup}, {"logStreamNamePrefix", job_ + "/"}});
    if (!streams) return;  // no job has written anything yet
    for (const auto& stream : (*streams)["logStreams"]) PrintStream(stream["logStreamName"]);
    std::cout.flush();
  }

 private:
  void PrintStream(const std::string& stream) {
    std::string& token = tokens_[stream];
    while (true) {
      Json input{{"logGroupName", kGroup}, {"logStreamName", stream}, {"startFromHead", true}};
      if (!token.empty()) input["nextToken"] = token;
      const Json page = ValueOrThrow(client_.Call("logs", "GetLogEvents", input));
      token = page["nextForwardToken"];
      if (page["events"].empty()) return;
      for (const auto& event : page["events"]) Print(stream, event);
    }
  }
  void Print(const std::string& stream, const Json& event) const {
    if (format_ == OutputFormat::kJson) {
      Json line = event;
      line["logStreamName"] = stream;
      std::cout << line.dump() << "\n";
    } else {
      std::cout << event["message"].get<std::string>() << "\n";
    }
  }

  const ApiClient& client_;
  const std::string job_;
  const OutputFormat format_;
  std::map<std::string, std::string> tokens_;
};

bool HasEnded(const ApiClient& client, const std::string& job) {
  const Json found = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", job}}));
  return found["TrainingJobStatus"] != "InProgress" && found["TrainingJobStatus"] != "Stopping";
}

void RunLogs(const SettingOptions& options, const std::string& job, bool follow, OutputFormat format) {
  const ApiClient client = ValueOrThrow(ApiClient::Find(options.Read().data_dir));
  LogReader reader(client, job, format);
  // A job's whole log is there before it ends: what is read after its end is all of it.
  for (bool ended = HasEnded(client, job);; ended = HasEnded(client, job)) {
    reader.PrintNew();
    if (ended || !follow) return;
    std::this_thread::sleep_for(kLogPoll);
  }
}

}  // namespace

void AddLogsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("logs", "what a training job has written");
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto job = std::make_shared<std::string>();
  auto follow = std::make_shared<bool>(false);
  command->add_option("JOB", *job, "the training job")->required();
  command->add_flag("-f,--follow", *follow, "go on until the job ends");
  auto format = AddOutputOption(*command);
  SetExample(*command, "headrace logs -f my-job");
  command->callback([=] { RunLogs(*options, *job, *follow, *format); });
}

}  // namespace headrace::apps
