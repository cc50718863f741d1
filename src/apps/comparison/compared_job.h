// ComparedJob: what `headrace jobs compare` tells about one training job, from its description, its log and its
// metrics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/comparison/instance_prices.h"
#include "apps/comparison/training_progress.h"

namespace headrace::apps::comparison {

// A number and where it comes from; without a number, why there is none.
struct Figure {
  std::optional<double> value;
  std::string source;
};

// A metric's values over the seconds since the job's creation.
struct Curve {
  std::string metric;
  std::vector<double> seconds, values;
};

struct ComparedJob {
  std::string name, status;
  std::string instances;       // "2 x ml.m5.large"
  Figure first_step;           // seconds from CreateTrainingJob to the beginning of the first step
  Figure epoch;                // seconds, the median of `epochs`
  Figure images_per_second;    // of all ranks together
  Figure billable;             // seconds, of all instances together
  Figure cost;                 // in the currency of the prices
  std::vector<double> epochs;  // seconds each
  std::vector<std::pair<std::string, double>> final_metrics;
  std::vector<Curve> curves;
};

// `described` is DescribeTrainingJob's answer. `batch_size` counts where no hyperparameter says one.
ComparedJob CompareJob(const nlohmann::json& described, const TrainingProgress& progress, std::vector<Curve> curves,
                       const InstancePrices& prices, std::optional<int64_t> batch_size);

// For scripts: {"jobs": […], "curves": […]}; docs/serve.md names the members.
nlohmann::json ToJson(const std::vector<ComparedJob>& jobs);

// A table of figures, a column a job, and the sources below it.
std::string ToText(const std::vector<ComparedJob>& jobs);

// The names of the metrics that have curves, in the order in which the jobs have them.
std::vector<std::string> CurveNames(const std::vector<ComparedJob>& jobs);
// Null when the job has no such curve.
const Curve* FindCurve(const ComparedJob& job, const std::string& metric);

}  // namespace headrace::apps::comparison
