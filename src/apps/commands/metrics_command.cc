#include "apps/commands/metrics_command.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>

#include "apps/client/job_log.h"
#include "apps/client/job_metrics.h"
#include "apps/client/server_options.h"
#include "apps/command.h"
#include "apps/commands/job_curves.h"
#include "apps/commands/metric_trial.h"
#include "apps/comparison/read_job.h"
#include "aws/time.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

void Print(const Json& result) {
  for (size_t i = 0; i < result["Values"].size(); ++i) {
    const auto time = static_cast<UnixMillis>(result["Timestamps"][i].get<double>() * 1000);
    std::cout << fmt::format("{} {:<32} {}\n", aws::Iso8601(time), result["Label"].get<std::string>(),
                             result["Values"][i].get<double>());
  }
}

void RunMetrics(const ServerOptions& server, const std::string& job, int64_t period, const std::string& statistic,
                OutputFormat format) {
  const ApiClient client = server.FindClient();
  const Json described = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", job}}));
  const Json results = ReadJobMetrics(client, described, period, statistic);
  if (format == OutputFormat::kJson) {
    std::cout << results.dump(2) << "\n";
    return;
  }
  for (const auto& result : results) Print(result);
}

// Of the metrics that are named, or of all.
void Plot(const ServerOptions& server, const std::string& name, const std::vector<std::string>& metrics) {
  const ApiClient client = server.FindClient();
  const Json described = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", name}}));
  comparison::ComparedJob job{.name = name};
  job.curves = comparison::ReadCurves(client, described, metrics);
  if (job.curves.empty())
    throw MakeError(ErrorCode::kNotFound, "{}: no metric has values yet; --check tries its definitions on its log",
                    name);
  std::cout << CurvesForTerminal({job});
}

constexpr size_t kMaxDefinitionBytes = size_t{1} << 20, kLogPiece = size_t{1} << 16;

struct TrialOptions {
  std::string job, definitions, log;  // files; "-": standard input; "": the job's own
  bool check = false;

  bool wanted() const { return check || !definitions.empty() || !log.empty(); }
};

// Feeds a file's bytes on, piece by piece. CLI::ValidationError when it cannot be read: the call is at fault.
void ReadPieces(const std::string& option, const std::string& path, const std::function<void(std::string_view)>& take) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& in = path == "-" ? std::cin : file;
  std::string piece(kLogPiece, '\0');
  while (in.good()) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    take(std::string_view(piece).substr(0, static_cast<size_t>(in.gcount())));
  }
  if (!in.eof()) throw CLI::ValidationError(option, path + ": cannot be read");
}

std::string ReadDefinitions(const std::string& path) {
  std::string text;
  ReadPieces("--definitions", path, [&](std::string_view piece) {
    text += piece;
    if (text.size() > kMaxDefinitionBytes)
      throw CLI::ValidationError("--definitions", fmt::format("{}: longer than {} bytes", path, kMaxDefinitionBytes));
  });
  return text;
}

// Definitions and log each come from a file or from the job; without a job no server is asked.
void RunTrial(const ServerOptions& server, const TrialOptions& trial_options, OutputFormat format) {
  const auto& [job, definitions_file, log_file, check] = trial_options;
  const std::string where = definitions_file.empty() ? job : "--definitions";
  std::optional<ApiClient> client;
  if (definitions_file.empty() || log_file.empty()) client = server.FindClient();
  const std::string text =
      definitions_file.empty()
          ? ValueOrThrow(client->Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", job}})).dump()
          : ReadDefinitions(definitions_file);
  auto definitions = ParseMetricDefinitions(text);
  if (!definitions) throw CLI::ValidationError(where, definitions.error().message());

  jobs::MetricTrial trial(std::move(*definitions));
  if (log_file.empty()) {
    JobLog(*client, job).ForEachNew([&](const std::string&, const Json& event) {
      trial.Feed(event["message"].get_ref<const std::string&>() + "\n");
    });
  } else {
    ReadPieces("--log", log_file, [&](std::string_view piece) { trial.Feed(piece); });
  }
  const auto findings = trial.Finish();
  PrintMetricTrial(findings, trial, format, std::cout);

  const auto count = [&](auto property) { return std::count_if(findings.begin(), findings.end(), property); };
  if (const auto refused = count([](const auto& finding) { return !finding.refused.empty(); }); refused > 0)
    throw CLI::ValidationError(
        where, fmt::format("{} of {} metric definitions would be refused by a training job", refused, findings.size()));
  if (const auto empty = count([](const auto& finding) { return finding.values == 0; }); empty > 0)
    throw MakeError(ErrorCode::kFailedPrecondition, "{} of {} metric definitions found no value", empty,
                    findings.size());
}

}  // namespace

void AddMetricsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "metrics",
      "The metrics that were cut out of a training job's log; or, with --definitions, --log or --check, a dry run: "
      "what metric definitions find in a log, line by line as a job would. Exit code 1: some find no value; 2: some "
      "would be refused.");
  const ServerOptions server(*command);
  auto trial = std::make_shared<TrialOptions>();
  auto statistic = std::make_shared<std::string>("Average");
  auto period = std::make_shared<int64_t>(1);
  command->add_option("JOB", trial->job, "the training job; not needed with both --definitions and --log");
  command->add_option("--period", *period, "seconds that one value stands for: 1, 5, 10, 20, 30 or a multiple of 60")
      ->capture_default_str();
  command->add_option("--stat", *statistic, "Average, Minimum, Maximum, Sum, SampleCount or a percentile such as p99")
      ->capture_default_str();
  command
      ->add_option("--definitions", trial->definitions,
                   "tries the definitions of this JSON file (-: standard input): a list of {\"Name\", \"Regex\"}, or a "
                   "CreateTrainingJob request that has one")
      ->option_text("FILE");
  command
      ->add_option("--log", trial->log,
                   "tries them on this file's text (-: standard input); lines above 65536 characters count in pieces")
      ->option_text("FILE");
  command->add_flag("--check", trial->check, "tries JOB's own definitions on JOB's own log");
  auto plot = std::make_shared<bool>(false);
  auto plotted = std::make_shared<std::vector<std::string>>();
  auto* plots = command->add_flag("--plot", *plot, "draws curves over the seconds since the job was created");
  command->add_option("--metrics", *plotted, "draws these metrics alone")->delimiter(',')->needs(plots);
  auto format = AddOutputOption(*command);
  SetExample(
      *command,
      "headrace metrics my-job --plot   or   headrace metrics --definitions definitions.json --log training.log");
  command->callback([=] {
    if (trial->definitions == "-" && trial->log == "-")
      throw CLI::ValidationError("--log", "standard input is read for --definitions already");
    if (trial->job.empty() && (trial->definitions.empty() || trial->log.empty()))
      throw CLI::ValidationError("JOB", "wanted a training job, or both --definitions and --log");
    if (trial->wanted()) return RunTrial(server, *trial, *format);
    if (*plot) return Plot(server, trial->job, *plotted);
    RunMetrics(server, trial->job, *period, *statistic, *format);
  });
}

}  // namespace headrace::apps
