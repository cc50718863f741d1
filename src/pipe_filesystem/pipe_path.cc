#include "pipe_filesystem/pipe_path.h"

#include <string>

#include <nlohmann/json.hpp>

namespace headrace::pipe_filesystem {
namespace {

using Json = nlohmann::json;

std::string_view WithoutScheme(std::string_view path) {
  const std::string prefix = std::string(kScheme) + "://";
  if (path.substr(0, prefix.size()) == prefix) path.remove_prefix(prefix.size());
  return path;
}

tl::unexpected<Error> Wanted(const std::string& name, const Json& found, const char* wanted) {
  return Fail(ErrorCode::kInvalidArgument, "{}: found {}, wanted {}", name,
              found.dump(-1, ' ', false, Json::error_handler_t::replace), wanted);
}

Status Set(std::string& option, const std::string& name, const Json& value) {
  if (!value.is_string()) return Wanted(name, value, "a string");
  option = value.get<std::string>();
  return {};
}
Status Set(bool& option, const std::string& name, const Json& value) {
  if (!value.is_boolean()) return Wanted(name, value, "true or false");
  option = value.get<bool>();
  return {};
}
Status Set(int64_t& option, const std::string& name, const Json& value) {
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX))
    return Wanted(name, value, "an integer");
  option = value.get<int64_t>();
  return {};
}

Status SetByName(std::string& channel, data::PipeModeOptions& options, const std::string& name, const Json& value) {
  if (name == "channel") return Set(channel, name, value);
  if (name == "record_format") return Set(options.record_format, name, value);
  if (name == "state_dir") return Set(options.state_dir, name, value);
  if (name == "pipe_dir") return Set(options.pipe_dir, name, value);
  if (name == "config_dir") return Set(options.config_dir, name, value);
  if (name == "benchmark") return Set(options.benchmark, name, value);
  if (name == "benchmark_records_interval") return Set(options.benchmark_records_interval, name, value);
  if (name == "max_corrupted_records_to_skip") return Set(options.max_corrupted_records_to_skip, name, value);
  return Fail(ErrorCode::kInvalidArgument, "PipeModeDataset: there is no option {}", name);
}

}  // namespace

Result<data::ChannelReader> ReaderOf(std::string_view path) {
  const auto json = Json::parse(WithoutScheme(path), nullptr, false);
  if (!json.is_object())
    return Fail(ErrorCode::kInvalidArgument, "{}: found \"{}\", wanted a JSON object of PipeModeDataset's options",
                kScheme, path);
  std::string channel;
  data::PipeModeOptions options;
  for (const auto& [name, value] : json.items()) HEADRACE_TRY(SetByName(channel, options, name, value));
  return data::ChannelReader::Make(channel, options);
}

}  // namespace headrace::pipe_filesystem
