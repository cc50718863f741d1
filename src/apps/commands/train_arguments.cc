#include "apps/commands/train_arguments.h"

#include <charconv>
#include <filesystem>

#include <CLI/CLI.hpp>

namespace headrace::apps {
namespace {

template <typename Number>
bool IsWhole(const std::string& text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// As a number or bool where the text is one, as SageMaker's SDK would have got it.
sagemaker::Hyperparameter HyperparameterOf(const std::string& text) {
  int64_t whole = 0;
  double number = 0;
  if (text == "true" || text == "false") return text == "true";
  if (IsWhole(text, whole)) return whole;
  if (IsWhole(text, number)) return number;
  return text;
}

}  // namespace

void AddTrainArguments(CLI::App& command, TrainArguments& arguments) {
  command.add_option("SOURCE", arguments.source, "the program: .cpp, .py, or any; or a directory with it")->required();
  command.add_option("--entry-point", arguments.entry_point, "the program, where SOURCE is a directory");
  command.add_option("--input", arguments.inputs, "CHANNEL=DIRECTORY, which is uploaded, or CHANNEL=s3://…")
      ->allow_extra_args(false);
  command.add_option("-p,--hyperparameter", arguments.hyperparameters, "NAME=VALUE: the program gets --NAME VALUE")
      ->allow_extra_args(false);
  command.add_option("--metric", arguments.metrics, "NAME=REGEX of the log")->allow_extra_args(false);
  command.add_option("--tag", arguments.tags, "KEY=VALUE")->allow_extra_args(false);
  command.add_option("--name", arguments.name, "of the job; default: --base-name and the time");
  command.add_option("--base-name", arguments.base_name, "default: the program's");
  command.add_option("--instances", arguments.instances, "how many hosts")->capture_default_str();
  command.add_option("--instance-type", arguments.instance_type, "of each")->capture_default_str();
  command.add_option("--processes-per-host", arguments.processes_per_host,
                     "run by mpirun (Horovod); default: 1 where there are several hosts");
  command.add_option("--framework-version", arguments.framework_version, "TensorFlow's, for Python")
      ->capture_default_str();
  command.add_option("--image", arguments.image, "instead of TensorFlow's");
  command.add_option("--role", arguments.role, "an ARN; default: the caller's role");
  command.add_option("--max-run", arguments.max_run, "seconds")->capture_default_str();
  command.add_flag("--pipe", arguments.pipe, "stream the channels (Pipe mode) instead of copying them first");
  command.add_flag("--no-wait", arguments.no_wait, "print the job's name and end");
  command.add_flag("--no-logs", arguments.no_logs, "print statuses, not the log");
}

std::vector<std::pair<std::string, std::string>> PairsOf(const char* option, const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError(option, "found '" + text + "', wanted NAME=VALUE");
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return pairs;
}

sagemaker::EstimatorOptions EstimatorOf(const TrainArguments& arguments) {
  sagemaker::EstimatorOptions options;
  const bool directory = std::filesystem::is_directory(arguments.source);
  if (directory == arguments.entry_point.empty())
    throw CLI::ValidationError("--entry-point", directory ? "wanted with a directory as SOURCE: the program in it"
                                                          : "has a meaning only with a directory as SOURCE");
  options.entry_point = directory ? arguments.entry_point : arguments.source;
  if (directory) options.source_dir = arguments.source;
  options.base_job_name = arguments.base_name;
  if (options.base_job_name.empty()) {
    options.base_job_name = std::filesystem::path(options.entry_point).stem().string();
    for (char& c : options.base_job_name) {
      if (!std::isalnum(static_cast<unsigned char>(c))) c = '-';
    }
  }
  options.instance_count = arguments.instances;
  options.instance_type = arguments.instance_type;
  options.framework_version = arguments.framework_version;
  options.image_uri = arguments.image;
  options.max_run = arguments.max_run;
  if (arguments.pipe) options.input_mode = "Pipe";
  const int processes = arguments.processes_per_host > 0 ? arguments.processes_per_host
                        : arguments.instances > 1        ? 1
                                                         : 0;
  if (processes > 0)
    options.distribution.mpi = {.enabled = true, .processes_per_host = processes, .custom_mpi_options = {}};
  for (const auto& [name, value] : PairsOf("--hyperparameter", arguments.hyperparameters))
    options.hyperparameters.insert_or_assign(name, HyperparameterOf(value));
  for (const auto& [name, regex] : PairsOf("--metric", arguments.metrics))
    options.metric_definitions.push_back({name, regex});
  for (const auto& [key, value] : PairsOf("--tag", arguments.tags)) options.tags.push_back({key, value});
  return options;
}

}  // namespace headrace::apps
