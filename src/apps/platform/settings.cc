#include "apps/platform/settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/result.h"

namespace headrace::apps {
namespace {

using Values = std::map<std::string, std::string>;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

[[noreturn]] void Wrong(const std::string& where, const std::string& found, const std::string& wanted) {
  throw MakeError(ErrorCode::kInvalidArgument, "{}: found '{}', wanted {}", where, found, wanted);
}

int64_t Number(const Setting& setting, const std::string& where, const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < setting.least || value > setting.most)
    Wrong(where, text, fmt::format("a number from {} to {} ({})", setting.least, setting.most, setting.unit));
  return value;
}

bool Truth(const std::string& where, const std::string& text) {
  if (text == "true" || text == "1" || text == "on") return true;
  if (text == "false" || text == "0" || text == "off") return false;
  Wrong(where, text, "true or false");
}

// `where` names the source in an error: "--listen", "HEADRACE_LISTEN", "headrace.toml: listen".
void Assign(Settings& settings, const Setting& setting, const std::string& where, const std::string& text) {
  if (const auto* member = std::get_if<std::string Settings::*>(&setting.member)) settings.** member = text;
  if (const auto* member = std::get_if<int64_t Settings::*>(&setting.member))
    settings.** member = Number(setting, where, text);
  if (const auto* member = std::get_if<bool Settings::*>(&setting.member)) settings.** member = Truth(where, text);
}

Values ReadToml(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw MakeError(ErrorCode::kNotFound, "{}: cannot be opened", path);
  Values values;
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(file)) {
      const bool known = std::any_of(SettingTable().begin(), SettingTable().end(),
                                     [&](const Setting& setting) { return setting.name == item.name; });
      if (item.name == "++" || item.name == "--") continue;  // how the parser marks sections
      if (!known) throw MakeError(ErrorCode::kInvalidArgument, "{}: there is no setting '{}'", path, item.name);
      values[item.name] = item.inputs.empty() ? "" : item.inputs.front();
    }
  } catch (const CLI::Error& error) {
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}", path, error.what());
  }
  return values;
}

}  // namespace

std::string Settings::DefaultDataDirectory() {
  if (const std::string base = Variable("XDG_DATA_HOME"); !base.empty()) return base + "/headrace";
  return Variable("HOME") + "/.local/share/headrace";
}

std::string EnvCommandLine(const std::string& data_dir) {
  return data_dir == Settings::DefaultDataDirectory() ? "headrace env" : "headrace env --data-dir " + data_dir;
}

std::vector<std::string> PathsOfJobs(const Settings& settings) {
  std::vector<std::string> paths;
  std::istringstream all(settings.job_paths);
  for (std::string path; std::getline(all, path, ':');)
    if (!path.empty()) paths.push_back(path);
  return paths;
}

std::span<const Setting> SettingTable() {
  using S = Settings;
  static constexpr Setting kTable[] = {
      {"data-dir", "path", &S::data_dir, "where everything is kept; made at the first start, for its owner only"},
      {"client-files", "path", &S::client_files,
       "where other users of this machine find what AWS_DATA_PATH and the like name; empty: the data directory alone"},
      {"listen", "address:port", &S::listen, "where clients come; port 0: any free one"},
      {"tls-listen", "address:port", &S::tls_listen,
       "TLS with the data directory's own certificate; auto: the next port on loopback; off"},
      {"tls-certificate", "path", &S::tls_certificate, "PEM chain that makes --listen speak TLS"},
      {"tls-key", "path", &S::tls_key, "its private key, PEM"},
      {"region", "name", &S::region, "the region that this server is"},
      {"io-threads", "threads", &S::io_threads, "for connections", 1, 256},
      {"pool-threads", "threads", &S::pool_threads, "for files and the database", 1, 1024},
      {"pool-queue", "tasks", &S::pool_queue, "that may wait for one of them; more are answered 503", 1, 1'000'000},
      {"max-connections", "connections", &S::max_connections, "at once; above, the longest idle one is closed", 1,
       1'000'000},
      {"max-header-bytes", "bytes", &S::max_header_bytes, "of a request's line and headers", 1024, 1 << 20},
      {"header-seconds", "s", &S::header_seconds, "that a request's head may take", 1, 3600},
      {"idle-seconds", "s", &S::idle_seconds, "between requests of a connection", 1, 86400},
      {"stall-seconds", "s", &S::stall_seconds, "without one byte of a body moving", 1, 3600},
      {"min-body-rate", "bytes/s", &S::min_body_rate, "that a body must move at after stall-seconds of waiting", 1,
       1 << 30},
      {"stop-grace-seconds", "s", &S::stop_grace_seconds, "for running requests when the server is told to stop", 0,
       3600},
      {"access-log", "path", &S::access_log, "a line a request; empty: log/access.log in the data directory; off"},
      {"log-level", "level", &S::log_level, "debug, info, warning or error"},
      {"log-file", "path", &S::log_file, "the server's own log; empty: standard error"},
      {"job-cpus", "cores", &S::job_cpus, "that training jobs may take together; 0: all of the machine", 0, 65536},
      {"job-memory-mib", "MiB", &S::job_memory_mib,
       "that a job may use at most, whatever its instance type has; 0: the instance type decides", 0, 1 << 30},
      {"job-tasks", "tasks", &S::job_tasks,
       "processes and threads that a job may have at once; 0: 256 and 64 for each of its cores", 0, 1 << 22},
      {"job-disk-mib", "MiB", &S::job_disk_mib,
       "that a job's files may take at most, whatever its VolumeSizeInGB; 0: VolumeSizeInGB decides", 0, 1 << 30},
      {"job-log-mib", "MiB", &S::job_log_mib,
       "of a job's log that are kept, the first and the last lines; 0: a sixteenth of the free disk", 0, 1 << 30},
      {"job-hang-seconds", "s", &S::job_hang_seconds,
       "without a sign of life, until a job's supervisor process is ended", 2, 86400},
      {"job-stop-grace-seconds", "s", &S::job_stop_grace_seconds,
       "between SIGTERM and SIGKILL for a job, and as long again for packing and storing what it has left", 0, 3600},
      {"job-heartbeat-seconds", "s", &S::job_heartbeat_seconds,
       "of silence until a job's log tells that it lives; 0: never", 0, 86400},
      {"job-log-hours", "h", &S::job_log_hours, "that the raw log file of an ended job is kept", 0, 1'000'000},
      {"metric-retention-days", "days", &S::metric_retention_days, "that metrics are kept; 0: for ever", 0, 1'000'000},
      {"max-invocation-bytes", "bytes", &S::max_invocation_bytes, "of a request to an endpoint", 1, 64 << 20},
      {"instance-prices", "type=price,…", &S::instance_prices,
       "what an hour of each instance type costs, for `headrace jobs compare`"},
      {"python", "program", &S::python, "runs .py entry points and is python3 inside jobs"},
      {"compiler", "program", &S::compiler, "compiles .cpp entry points"},
      {"job-paths", "path:path", &S::job_paths, "what jobs may read of this machine besides /usr and the like"},
      {"sandbox", "true or false", &S::sandbox, "run jobs and model servers in bubblewrap where the kernel allows it"},
      {"allow-unsandboxed-tenants", "true or false", &S::allow_unsandboxed_tenants,
       "without a sandbox run jobs and model servers of all accounts, not of the owner's alone: they can read and "
       "write "
       "everything of this server's"},
  };
  return kTable;
}

std::string VariableOf(const Setting& setting) {
  std::string variable = "HEADRACE_";
  for (const char* c = setting.name; *c != '\0'; ++c)
    variable += *c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
  return variable;
}

std::string ValueOf(const Settings& settings, const Setting& setting) {
  if (const auto* member = std::get_if<std::string Settings::*>(&setting.member)) return settings.**member;
  if (const auto* member = std::get_if<int64_t Settings::*>(&setting.member)) return std::to_string(settings.**member);
  return settings.*std::get<bool Settings::*>(setting.member) ? "true" : "false";
}

SettingOptions::SettingOptions(CLI::App& command, std::initializer_list<std::string_view> names) {
  const Settings defaults;
  for (const Setting& setting : SettingTable()) {
    if (names.size() != 0 && std::find(names.begin(), names.end(), setting.name) == names.end()) continue;
    auto text = std::make_shared<std::string>();
    const std::string value = ValueOf(defaults, setting);
    const std::string help =
        fmt::format("{}{} [{}]", setting.help, value.empty() ? "" : " (default " + value + ")", VariableOf(setting));
    CLI::Option* option = command.add_option(std::string("--") + setting.name, *text, help);
    option->option_text(setting.unit);
    given_.push_back({&setting, option, std::move(text)});
  }
  command.add_option("--config", *config_, "headrace.toml (default: the one in the data directory) [HEADRACE_CONFIG]")
      ->option_text("path");
}

Settings SettingOptions::Read() const {
  Settings settings;
  const auto apply = [&](const Values& file, const std::string& path) {
    for (const Setting& setting : SettingTable()) {
      const auto given = std::find_if(given_.begin(), given_.end(),
                                      [&](const Given& candidate) { return candidate.setting == &setting; });
      const std::string variable = Variable(VariableOf(setting).c_str());
      if (given != given_.end() && given->option->count() > 0)
        Assign(settings, setting, std::string("--") + setting.name, *given->text);
      else if (!variable.empty())
        Assign(settings, setting, VariableOf(setting), variable);
      else if (const auto value = file.find(setting.name); value != file.end())
        Assign(settings, setting, path + ": " + setting.name, value->second);
    }
  };
  std::string path = config_->empty() ? Variable("HEADRACE_CONFIG") : *config_;
  if (path.empty()) {
    apply({}, "");  // tells the data directory
    path = settings.data_dir + "/headrace.toml";
    if (!std::filesystem::exists(path)) return settings;
  }
  apply(ReadToml(path), path);
  return settings;
}

}  // namespace headrace::apps
