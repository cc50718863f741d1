// Settings of `headrace serve`: one table, and three ways to set each: a flag, a HEADRACE_… variable, a key of
// headrace.toml. A flag beats a variable, a variable beats the file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

namespace headrace::apps {

struct Settings {
  std::string data_dir = DefaultDataDirectory();
  std::string client_files;
  std::string listen = "127.0.0.1:4567";
  std::string tls_listen = "auto";
  std::string tls_certificate, tls_key;
  std::string region = "us-west-2";
  int64_t io_threads = 2, pool_threads = 16, pool_queue = 1024;
  int64_t max_connections = 1024, max_header_bytes = 65536, header_seconds = 10, idle_seconds = 75;
  int64_t stall_seconds = 30, min_body_rate = 4096, stop_grace_seconds = 10;
  std::string access_log, log_level = "info", log_file;
  int64_t job_cpus = 0, job_memory_mib = 0, job_tasks = 0, job_disk_mib = 0, job_log_mib = 128;
  int64_t job_hang_seconds = 60, job_stop_grace_seconds = 120, job_heartbeat_seconds = 60;
  int64_t metric_retention_days = 455, job_log_hours = 72;
  int64_t max_invocation_bytes = 6'291'456;
  std::string instance_prices;
  std::string python = "python3", compiler = "g++", job_paths;
  bool sandbox = true, allow_unsandboxed_tenants = false;

  // $XDG_DATA_HOME/headrace or ~/.local/share/headrace.
  static std::string DefaultDataDirectory();
};

// "headrace env", with the data directory where it is not the usual one.
std::string EnvCommandLine(const std::string& data_dir);

// The paths of job-paths.
std::vector<std::string> PathsOfJobs(const Settings& settings);

struct Setting {
  using Member = std::variant<std::string Settings::*, int64_t Settings::*, bool Settings::*>;
  const char* name;  // of the flag and the key: "max-connections"; the variable is HEADRACE_MAX_CONNECTIONS
  const char* unit;
  Member member;  // its type and, in a fresh Settings, its default
  const char* help;
  int64_t least = 0, most = 0;  // of numbers
};

std::span<const Setting> SettingTable();
std::string VariableOf(const Setting& setting);
std::string ValueOf(const Settings& settings, const Setting& setting);

// The table as options of a command, and their values once the command line has been parsed.
class SettingOptions {
 public:
  // `names`: which settings this command takes; empty: all of them.
  explicit SettingOptions(CLI::App& command, std::initializer_list<std::string_view> names = {});
  // Throws headrace::Error (kInvalidArgument) that names the setting, the value found and what is wanted.
  Settings Read() const;

 private:
  struct Given {
    const Setting* setting;
    CLI::Option* option;
    std::shared_ptr<std::string> text;
  };
  std::vector<Given> given_;
  std::shared_ptr<std::string> config_ = std::make_shared<std::string>();
};

}  // namespace headrace::apps
