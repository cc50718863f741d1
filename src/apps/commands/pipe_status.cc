#include "apps/commands/pipe_status.h"

#include <filesystem>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace headrace::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kFile = "pipes.json";

// The newest status file of a job directory, or of the directory of one of its hosts.
std::string Newest(const fs::path& directory) {
  std::error_code ignored;
  std::vector<fs::path> places = {directory};
  for (const auto& host : fs::directory_iterator(directory / "hosts", ignored)) places.push_back(host.path());
  std::string newest;
  fs::file_time_type time{};
  for (const auto& place : places)
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      const fs::path path = entry.path() / kFile;
      if (!fs::exists(path, ignored)) continue;
      const auto written = fs::last_write_time(path, ignored);
      if (!newest.empty() && written <= time) continue;
      newest = path;
      time = written;
    }
  return newest;
}

double Number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

const json* Find(const json& status, const std::string& channel) {
  if (!status.is_object() || !status.contains("channels")) return nullptr;
  for (const json& candidate : status["channels"])
    if (candidate.value("channel", "") == channel) return &candidate;
  return nullptr;
}

void PrintChannel(const json& channel, const json* earlier, double seconds, std::ostream& out) {
  out << fmt::format("{:<20} {:>10.0f} {:>10.0f} {:>8.0f} {:>16.0f}", channel.value("channel", ""),
                     Number(channel, "epochs_started"), Number(channel, "epochs_ended"),
                     Number(channel, "early_closes"), Number(channel, "bytes"));
  if (earlier != nullptr && seconds > 0)
    out << fmt::format(" {:>10.1f} {:>10.1f}",
                       (Number(channel, "epochs_ended") - Number(*earlier, "epochs_ended")) / seconds,
                       (Number(channel, "bytes") - Number(*earlier, "bytes")) / seconds * 1e-6);
  out << "\n";
}

}  // namespace

Result<std::string> FindPipeStatus(const std::string& data_dir, const std::string& job) {
  if (job.find('/') != std::string::npos || fs::is_directory(job)) {
    if (auto found = Newest(job); !found.empty()) return found;
    return Fail(ErrorCode::kNotFound, "{}: no job directory with channels in Pipe mode", job);
  }
  std::error_code ignored;
  for (const auto& account : fs::directory_iterator(data_dir + "/jobs", ignored))
    if (auto found = Newest(account.path() / job); !found.empty()) return found;
  return Fail(ErrorCode::kNotFound, "job {}: no job of that name with channels in Pipe mode below {}/jobs", job,
              data_dir);
}

Status PrintPipeStatus(const std::string& text, const std::string& earlier, OutputFormat format, std::ostream& out) {
  const json status = json::parse(text, nullptr, false), before = json::parse(earlier, nullptr, false);
  if (!status.is_object() || !status.contains("channels") || !status["channels"].is_array())
    return Fail(ErrorCode::kDataLoss, "{}: found no list of channels", kFile);
  if (format == OutputFormat::kJson) {
    out << status.dump(2) << "\n";
    return {};
  }
  const double seconds = before.is_object() ? (Number(status, "t") - Number(before, "t")) / 1000 : 0;
  out << fmt::format("{:<20} {:>10} {:>10} {:>8} {:>16}", "channel", "opened", "ended", "early", "bytes");
  if (seconds > 0) out << fmt::format(" {:>10} {:>10}", "epochs/s", "MB/s");
  out << "\n";
  for (const json& channel : status["channels"])
    PrintChannel(channel, Find(before, channel.value("channel", "")), seconds, out);
  return {};
}

}  // namespace headrace::apps
