#include "api/sagemaker/path_checks.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "api/input.h"
#include "base/beneath.h"
#include "jobs/directory/checkpoint_place.h"
#include "jobs/inputs/s3_uri.h"
#include "jobs/request/hyperparameters.h"

namespace headrace::api::sagemaker {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMl = "/opt/ml/";

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

const Json& PartOf(const Json& parent, const char* name) {
  static const Json kNothing;
  const auto found = parent.find(name);
  return found == parent.end() ? kNothing : *found;
}

std::string_view WithoutLastSlash(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

void CheckLocalPath(const Json& config, const std::string& path, Violations& violations) {
  const std::string local = TextOr(config, "LocalPath");
  if (local.empty()) return;
  if (const auto wrong = WrongWithContainerPath(local); !wrong.empty())
    violations.Add(path + ".localPath", local, wrong);
}

void CheckCheckpoints(const Json& config, Violations& violations) {
  const std::string local = TextOr(config, "LocalPath");
  if (local.empty()) return;
  auto wrong = WrongWithContainerPath(local);
  if (wrong.empty() && !jobs::PlaceOfCheckpoints(local))
    wrong = "Member must lie below /opt/ml, or be a directory of its own that is none of the system's and lies in none";
  if (!wrong.empty()) violations.Add("checkpointConfig.localPath", local, wrong);
}

// The toolkit's own two: they arrive as JSON in a string.
void CheckSource(const Json& parameters, Violations& violations) {
  const auto decoded = jobs::DecodeHyperparameters(parameters);
  const std::string source = decoded.Text("sagemaker_submit_directory"), program = decoded.Text("sagemaker_program");
  if (jobs::IsUri(source)) {
    if (const auto uri = jobs::ParseS3Uri(source); !uri)
      violations.Add("hyperParameters.sagemaker_submit_directory", source, uri.error().message());
  } else if (!source.empty() &&
             (!source.starts_with(kMl) || source == kMl || !WrongWithContainerPath(source).empty())) {
    violations.Add("hyperParameters.sagemaker_submit_directory", source,
                   "Member must be an s3:// URI or a path below /opt/ml, without '.', '..' and doubled slashes");
  }
  if (!program.empty() && (!IsSafeRelativePath(jobs::EntryPointName(program)) || HasControlCharacter(program))) {
    violations.Add("hyperParameters.sagemaker_program", program,
                   "Member must be a path below the source's directory, without '..' and doubled slashes");
  }
}

void CheckEntrypoint(const Json& entrypoint, Violations& violations) {
  if (!entrypoint.is_array() || entrypoint.empty() || !entrypoint[0].is_string()) return;
  const auto& program = entrypoint[0].get_ref<const std::string&>();
  const std::string path = "algorithmSpecification.containerEntrypoint.1.member";
  if (program.empty()) violations.Add(path, program, "Member must name a program");
  if (program.find('/') == std::string::npos) return;
  // Relative ones begin in /opt/ml/code.
  const auto absolute = program.starts_with('/') ? program : "/" + std::string(jobs::EntryPointName(program));
  if (const auto wrong = WrongWithContainerPath(absolute); !wrong.empty()) violations.Add(path, program, wrong);
}

// A Pipe mode channel C makes the files C_0, C_1 …, a channel with a manifest the file C-manifest.
bool Takes(const Json& channel, const std::string& mode, const std::string& other) {
  const std::string name = TextOr(channel, "ChannelName");
  if (name.empty() || !other.starts_with(name)) return false;
  const auto rest = std::string_view(other).substr(name.size());
  const auto& s3 = PartOf(PartOf(channel, "DataSource"), "S3DataSource");
  if (rest == "-manifest" && TextOr(s3, "S3DataType") != "S3Prefix") return true;
  return TextOr(channel, "InputMode", mode) == "Pipe" && rest.size() > 1 && rest[0] == '_' &&
         rest.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

void CheckChannelNames(const Json& channels, const std::string& mode, Violations& violations) {
  if (!channels.is_array()) return;
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string path = fmt::format("inputDataConfig.{}.member.channelName", i + 1);
    const std::string name = TextOr(channels[i], "ChannelName");
    if (name == "." || name == "..") violations.Add(path, name, "Member must name a directory of its own");
    for (const auto& other : channels)
      if (Takes(other, mode, name))
        violations.Add(path, name,
                       fmt::format("Member must not be a file of the channel '{}'", TextOr(other, "ChannelName")));
  }
}

void CheckText(const Json& value, const std::string& path, Violations& violations) {
  if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos)
    violations.Add(path, value, "Member must not contain the character U+0000");
}

}  // namespace

std::string_view WrongWithContainerPath(std::string_view path) {
  if (!path.starts_with('/')) return "Member must be an absolute path";
  if (HasControlCharacter(path)) return "Member must be a path without control characters";
  if (path == "/") return "Member must name a directory of its own";
  if (!IsSafeRelativePath(WithoutLastSlash(path).substr(1)))
    return "Member must be an absolute path without '.', '..' and doubled slashes";
  return "";
}

void CheckPaths(const Json& request, Violations& violations) {
  const Json& algorithm = PartOf(request, "AlgorithmSpecification");
  CheckChannelNames(PartOf(request, "InputDataConfig"), TextOr(algorithm, "TrainingInputMode", "File"), violations);
  CheckSource(PartOf(request, "HyperParameters"), violations);
  if (algorithm.is_object()) CheckEntrypoint(PartOf(algorithm, "ContainerEntrypoint"), violations);
  if (const Json& config = PartOf(request, "CheckpointConfig"); config.is_object())
    CheckCheckpoints(config, violations);
  for (const auto& [member, path] :
       {std::pair{"DebugHookConfig", "debugHookConfig"}, {"TensorBoardOutputConfig", "tensorBoardOutputConfig"}})
    if (const Json& config = PartOf(request, member); config.is_object()) CheckLocalPath(config, path, violations);
  for (const auto& [member, path] : {std::pair{"DebugRuleConfigurations", "debugRuleConfigurations"},
                                     {"ProfilerRuleConfigurations", "profilerRuleConfigurations"}}) {
    const Json& rules = PartOf(request, member);
    for (size_t i = 0; rules.is_array() && i < rules.size(); ++i)
      CheckLocalPath(rules[i], fmt::format("{}.{}.member", path, i + 1), violations);
  }
}

void CheckTexts(const Json& request, Violations& violations) {
  for (const auto& [member, path] : {std::pair{"HyperParameters", "hyperParameters"}, {"Environment", "environment"}}) {
    const Json& texts = PartOf(request, member);
    if (!texts.is_object()) continue;
    for (const auto& [name, value] : texts.items()) {
      CheckText(Json(name), path, violations);
      CheckText(value, fmt::format("{}.{}", path, name), violations);
    }
  }
  const Json& algorithm = PartOf(request, "AlgorithmSpecification");
  if (!algorithm.is_object()) return;
  for (const auto& [member, path] :
       {std::pair{"ContainerEntrypoint", "containerEntrypoint"}, {"ContainerArguments", "containerArguments"}}) {
    const Json& texts = PartOf(algorithm, member);
    for (size_t i = 0; texts.is_array() && i < texts.size(); ++i)
      CheckText(texts[i], fmt::format("algorithmSpecification.{}.{}.member", path, i + 1), violations);
  }
}

}  // namespace headrace::api::sagemaker
