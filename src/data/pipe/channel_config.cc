#include "data/pipe/channel_config.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace headrace::data {
namespace {

bool EqualIgnoringCase(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string Names(const nlohmann::json& channels) {
  std::string names;
  for (const auto& [name, settings] : channels.items()) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

Result<nlohmann::json> Parse(const std::string& text, const std::string& where) {
  auto channels = nlohmann::json::parse(text, nullptr, false);
  if (!channels.is_object()) return Fail(ErrorCode::kDataLoss, "{}: found no JSON object of channels", where);
  return channels;
}

// Of one channel; empty when there is no such channel or it does not say.
std::string TextIn(const nlohmann::json& channels, const std::string& channel, const char* name) {
  const auto found = channels.find(channel);
  if (found == channels.end() || !found->is_object()) return "";
  const auto text = found->find(name);
  return text != found->end() && text->is_string() ? text->get<std::string>() : "";
}

std::string ModeIn(const nlohmann::json& channels, const std::string& channel) {
  return TextIn(channels, channel, "TrainingInputMode");
}

// All that the job says of its channels; none outside a job.
Result<nlohmann::json> ChannelsOfJob(const std::string& config_dir) {
  const char* variable = std::getenv("SM_INPUT_DATA_CONFIG");
  std::string text = variable != nullptr ? variable : "", where = "SM_INPUT_DATA_CONFIG";
  if (text.empty()) {
    where = config_dir + "/inputdataconfig.json";
    auto file = ReadFile(where);
    if (!file && file.error().code() == ErrorCode::kNotFound) return nlohmann::json::object();
    HEADRACE_ASSIGN(text, std::move(file));
  }
  return Parse(text, where);
}

}  // namespace

Result<std::string> InputModeOf(const std::string& config_dir, const std::string& channel) {
  HEADRACE_ASSIGN(const auto channels, ChannelsOfJob(config_dir));
  const std::string found = ModeIn(channels, channel);
  for (const char* mode : {"Pipe", "FastFile"})
    if (EqualIgnoringCase(found, mode)) return mode;
  return "File";
}

Result<bool> IsSharded(const std::string& config_dir, const std::string& channel) {
  HEADRACE_ASSIGN(const auto channels, ChannelsOfJob(config_dir));
  return TextIn(channels, channel, "S3DistributionType") == "ShardedByS3Key";
}

Status CheckPipeChannel(const std::string& config_dir, const std::string& pipe_dir, const std::string& channel) {
  const std::string path = config_dir + "/inputdataconfig.json";
  const auto text = ReadFile(path);
  if (!text)
    return Fail(text.error().code(),
                "channel {}: {} (Pipe mode works inside a training job; elsewhere read files with Dataset::TFRecord)",
                channel, text.error().message());
  HEADRACE_ASSIGN(const auto channels, Parse(*text, path));
  if (!channels.contains(channel))
    return Fail(ErrorCode::kNotFound, "channel {}: the job has no such channel; it has: {}", channel, Names(channels));
  const std::string mode = ModeIn(channels, channel);
  if (EqualIgnoringCase(mode, "Pipe")) return {};
  return Fail(
      ErrorCode::kFailedPrecondition,
      "channel {}: found TrainingInputMode \"{}\", wanted \"Pipe\": start the job with input_mode='Pipe', or read "
      "the files in {}/{} with Dataset::TFRecord, RecordIO or TextLine",
      channel, mode, pipe_dir, channel);
}

}  // namespace headrace::data
