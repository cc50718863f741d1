// What `headrace train` is asked for, and the estimator that it stands for.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "headrace/sagemaker.h"

namespace CLI {
class App;
}

namespace headrace::apps {

struct TrainArguments {
  std::string source, entry_point;
  std::vector<std::string> inputs, hyperparameters, metrics, tags;  // NAME=VALUE
  std::string name, base_name, role, image, instance_type = "ml.m5.xlarge", framework_version = "2.21.0";
  int instances = 1, processes_per_host = 0, max_run = 24 * 60 * 60;
  bool pipe = false, no_wait = false, no_logs = false;
};

void AddTrainArguments(CLI::App& command, TrainArguments& arguments);

// "NAME=VALUE"s apart. CLI::ValidationError names the option for one without a name or '='.
std::vector<std::pair<std::string, std::string>> PairsOf(const char* option, const std::vector<std::string>& texts);

// A source that is a directory goes as a whole, with the entry point in it; else it is the program and goes alone.
sagemaker::EstimatorOptions EstimatorOf(const TrainArguments& arguments);

}  // namespace headrace::apps
