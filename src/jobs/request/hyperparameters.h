// Hyperparameters as SageMaker's training toolkit hands them to programs: JSON in strings, decoded, split into the
// user's and the platform's, and turned into command-line arguments.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace headrace::jobs {

struct Hyperparameters {
  nlohmann::json user = nlohmann::json::object();       // what the program gets
  nlohmann::json framework = nlohmann::json::object();  // sagemaker_mpi_enabled and its like
  nlohmann::json all = nlohmann::json::object();

  // The decoded value as text: strings as they are, anything else as JSON; "" when absent.
  std::string Text(const std::string& name) const;
};

// `raw`: the request's HyperParameters, a map of strings.
Hyperparameters DecodeHyperparameters(const nlohmann::json& raw);

// {"--batch-size", "256", "-k", "3"}: by name, values as Python prints them.
std::vector<std::string> ToArguments(const nlohmann::json& user);

// The name of an entry point below its source directory: "./train.py" is "train.py".
std::string EntryPointName(std::string_view program);

// A value in SM_ variables: strings as they are, anything else compact JSON.
std::string ToVariable(const nlohmann::json& value);

}  // namespace headrace::jobs
