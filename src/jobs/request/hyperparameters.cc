#include "jobs/request/hyperparameters.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 9> kPlatform = {
    "sagemaker_program",        "sagemaker_submit_directory",    "sagemaker_enable_cloudwatch_metrics",
    "sagemaker_region",         "sagemaker_container_log_level", "sagemaker_job_name",
    "default_user_module_name", "_tuning_objective_metric",      "sagemaker_s3_output"};

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

// A number that does not fit comes back as another one; it is better kept as text.
bool IsLongNumber(std::string_view text) {
  return text.size() > 18 && text.find_first_not_of("-0123456789") == std::string_view::npos;
}

json DecodeValue(const std::string& text) {
  if (IsLongNumber(text)) return text;
  auto value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json(text) : value;
}

// As repr() prints it.
std::string PythonText(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "None";
    case json::value_t::boolean:
      return value.get<bool>() ? "True" : "False";
    case json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      const char quote = text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
      std::string quoted(1, quote);
      for (const char c : text) {
        if (c == quote || c == '\\') quoted += '\\';
        if (c == '\n')
          quoted += "\\n";
        else
          quoted += c;
      }
      return quoted + quote;
    }
    case json::value_t::array: {
      std::string list = "[";
      for (const auto& element : value) list += (list.size() > 1 ? ", " : "") + PythonText(element);
      return list + "]";
    }
    case json::value_t::object: {
      std::string dict = "{";
      for (const auto& [key, element] : value.items())
        dict += (dict.size() > 1 ? ", " : "") + PythonText(key) + ": " + PythonText(element);
      return dict + "}";
    }
    default:
      return Dump(value);
  }
}

// As str() prints it.
std::string PythonString(const json& value) { return value.is_string() ? value.get<std::string>() : PythonText(value); }

std::string ArgumentValue(const json& value) {
  if (value.is_null()) return "";
  if (!value.is_object()) return PythonString(value);
  std::string pairs;
  for (const auto& [key, element] : value.items())
    pairs += (pairs.empty() ? "" : ",") + key + "=" + PythonString(element);
  return pairs;
}

}  // namespace

std::string Hyperparameters::Text(const std::string& name) const {
  const auto found = all.find(name);
  return found == all.end() ? "" : ToVariable(*found);
}

Hyperparameters DecodeHyperparameters(const json& raw) {
  Hyperparameters decoded;
  if (!raw.is_object()) return decoded;
  for (const auto& [name, text] : raw.items()) {
    const json value = text.is_string() ? DecodeValue(text.get<std::string>()) : text;
    decoded.all[name] = value;
    const bool platform = std::find(kPlatform.begin(), kPlatform.end(), name) != kPlatform.end();
    if (platform) continue;
    (name.starts_with("sagemaker_") ? decoded.framework : decoded.user)[name] = value;
  }
  return decoded;
}

std::vector<std::string> ToArguments(const json& user) {
  std::vector<std::string> arguments;
  for (const auto& [name, value] : user.items()) {
    arguments.push_back((name.size() == 1 ? "-" : "--") + name);
    arguments.push_back(ArgumentValue(value));
  }
  return arguments;
}

std::string EntryPointName(std::string_view program) {
  while (program.starts_with("./")) program.remove_prefix(2);
  return std::string(program);
}

std::string ToVariable(const json& value) { return value.is_string() ? value.get<std::string>() : Dump(value); }

}  // namespace headrace::jobs
