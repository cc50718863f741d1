#include "apps/commands/jobs_compare_command.h"

#include <algorithm>
#include <iostream>
#include <map>

#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/client/api_client.h"
#include "apps/client/job_log.h"
#include "apps/client/job_metrics.h"
#include "apps/command.h"
#include "apps/comparison/compared_job.h"
#include "apps/comparison/curves_picture.h"
#include "apps/comparison/curves_text.h"
#include "apps/platform/settings.h"
#include "base/file.h"
#include "base/result.h"

namespace headrace::apps {
namespace {

using namespace comparison;
using Json = nlohmann::json;

struct CompareOptions {
  std::vector<std::string> jobs, metrics;
  std::string picture;
  std::optional<int64_t> batch_size;
  std::shared_ptr<OutputFormat> format;
};

// Of the first host that prints epochs; without one of the first host.
TrainingProgress ReadProgress(const ApiClient& client, const std::string& job) {
  std::map<std::string, TrainingProgress> by_stream;
  JobLog(client, job).ForEachNew([&](const std::string& stream, const Json& event) {
    by_stream[stream].Feed(event["timestamp"], event["message"].get_ref<const std::string&>());
  });
  const auto prints = std::find_if(by_stream.begin(), by_stream.end(),
                                   [](const auto& entry) { return !entry.second.epochs().empty(); });
  return prints == by_stream.end() ? TrainingProgress() : prints->second;
}

std::vector<Curve> ReadCurves(const ApiClient& client, const Json& described, const std::vector<std::string>& wanted) {
  const double created = described["CreationTime"];
  std::vector<Curve> curves;
  for (const auto& result : ReadJobMetrics(client, described, 1, "Average")) {
    Curve curve{.metric = result["Label"], .seconds = result["Timestamps"], .values = result["Values"]};
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), curve.metric) == wanted.end()) continue;
    // A second stands for the values that came in it, those before the job's creation in the first one, too.
    for (double& at : curve.seconds) at = std::max(at - created, 0.0);
    curves.push_back(std::move(curve));
  }
  return curves;
}

int TerminalColumns() {
  constexpr int kUsual = 100;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

void WritePicture(const std::string& path, const std::vector<ComparedJob>& jobs) {
  ValueOrThrow(WriteFileAtomically(path, path.ends_with(".svg") ? DrawSvg(jobs) : DrawPng(jobs)));
}

void RunCompare(const SettingOptions& setting_options, const CompareOptions& options) {
  const Settings settings = setting_options.Read();
  const InstancePrices prices = ValueOrThrow(InstancePrices::Parse(settings.instance_prices));
  const ApiClient client = ValueOrThrow(ApiClient::Find(settings.data_dir));
  std::vector<ComparedJob> jobs;
  for (const std::string& name : options.jobs) {
    const Json described = ValueOrThrow(client.Call("sagemaker", "DescribeTrainingJob", {{"TrainingJobName", name}}));
    jobs.push_back(CompareJob(described, ReadProgress(client, name), ReadCurves(client, described, options.metrics),
                              prices, options.batch_size));
  }
  if (!options.picture.empty()) WritePicture(options.picture, jobs);
  if (*options.format == OutputFormat::kJson) {
    std::cout << ToJson(jobs).dump(2) << "\n";
    return;
  }
  std::cout << ToText(jobs);
  if (const std::string curves = CurvesAsText(jobs, TerminalColumns()); !curves.empty()) std::cout << "\n" << curves;
}

}  // namespace

void AddJobsCompareCommand(CLI::App& jobs) {
  CLI::App* command = jobs.add_subcommand(
      "compare", "jobs side by side: time to the first step, time an epoch, images/s, billable seconds, cost, curves");
  auto settings = std::make_shared<SettingOptions>(
      *command, std::initializer_list<std::string_view>{"data-dir", "instance-prices"});
  auto options = std::make_shared<CompareOptions>();
  command->add_option("NAMES", options->jobs, "the training jobs")
      ->required()
      ->expected(1, static_cast<int>(kMostComparedJobs));
  command->add_option("--metrics", options->metrics, "curves of these metrics alone (default: of all)")->delimiter(',');
  command
      ->add_option("--picture", options->picture, "writes the curves to this file, an SVG or a PNG by its name's end")
      ->option_text("FILE")
      ->check([](const std::string& path) {
        return path.ends_with(".svg") || path.ends_with(".png") ? ""
                                                                : path + ": wanted a name that ends with .svg or .png";
      });
  command
      ->add_option("--batch-size", options->batch_size,
                   "images a step of one process, for jobs without a hyperparameter batch-size or batch_size")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  options->format = AddOutputOption(*command);
  SetExample(*command, "headrace jobs compare file-mode pipe-mode two-hosts --picture jobs.svg");
  command->callback([=] { RunCompare(*settings, *options); });
}

}  // namespace headrace::apps
