#include "apps/commands/jobs_compare_command.h"

#include <iostream>

#include "apps/client/server_options.h"
#include "apps/command.h"
#include "apps/commands/job_curves.h"
#include "apps/comparison/compared_job.h"
#include "apps/comparison/curves_picture.h"
#include "apps/comparison/read_job.h"
#include "base/file.h"
#include "base/result.h"

namespace headrace::apps {
namespace {

using namespace comparison;

struct CompareOptions {
  std::vector<std::string> jobs, metrics;
  std::string picture;
  std::optional<int64_t> batch_size;
  std::shared_ptr<OutputFormat> format;
};

void WritePicture(const std::string& path, const std::vector<ComparedJob>& jobs) {
  ValueOrThrow(WriteFileAtomically(path, path.ends_with(".svg") ? DrawSvg(jobs) : DrawPng(jobs)));
}

void RunCompare(const ServerOptions& server, const CompareOptions& options) {
  const InstancePrices prices = ValueOrThrow(InstancePrices::Parse(server.ReadSettings().instance_prices));
  const ApiClient client = server.FindClient();
  std::vector<ComparedJob> jobs;
  for (const std::string& name : options.jobs)
    jobs.push_back(ReadJob(client, name, options.metrics, prices, options.batch_size));
  if (!options.picture.empty()) WritePicture(options.picture, jobs);
  if (*options.format == OutputFormat::kJson) {
    std::cout << ToJson(jobs).dump(2) << "\n";
    return;
  }
  std::cout << ToText(jobs);
  if (const std::string curves = CurvesForTerminal(jobs); !curves.empty()) std::cout << "\n" << curves;
}

}  // namespace

void AddJobsCompareCommand(CLI::App& jobs) {
  CLI::App* command = jobs.add_subcommand(
      "compare", "jobs side by side: time to the first step, time an epoch, images/s, billable seconds, cost, curves");
  const ServerOptions server(*command, {"data-dir", "instance-prices"});
  auto options = std::make_shared<CompareOptions>();
  command->add_option("JOBS", options->jobs, "the training jobs")
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
  command->callback([=] { RunCompare(server, *options); });
}

}  // namespace headrace::apps
