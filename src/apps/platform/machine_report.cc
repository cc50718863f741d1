#include "apps/platform/machine_report.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "apps/platform/tenant_processes.h"
#include "base/file.h"

namespace headrace::apps {
namespace {

using nlohmann::json;

#ifdef __clang__
constexpr const char* kCompiler = __VERSION__;  // "Clang 14.0.6"
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

double SecondsOf(uint64_t ticks) { return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)); }

std::string SystemName() {
  std::istringstream lines(ReadFile("/etc/os-release", 1 << 16).value_or(""));
  constexpr std::string_view kName = "PRETTY_NAME=";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(kName)) {
      std::string name = line.substr(kName.size());
      std::erase(name, '"');
      return name;
    }
  return "Linux";
}

json Versions() {
  utsname kernel{};
  ::uname(&kernel);
  return {{"Headrace", HEADRACE_VERSION},
          {"Compiler", kCompiler},
          {"OpenSSL", ::OpenSSL_version(OPENSSL_VERSION)},
          {"System", SystemName()},
          {"Kernel", fmt::format("{} {} {}", kernel.sysname, kernel.release, kernel.machine)}};
}

// The first line of /proc/stat: "cpu  user nice system idle iowait irq softirq steal …", in ticks of all cores.
json Processor(jobs::CorePool& cores) {
  std::istringstream first(ReadFile("/proc/stat", 1 << 20).value_or(""));
  std::string cpu;
  std::array<uint64_t, 8> ticks{};
  first >> cpu;
  for (uint64_t& each : ticks) first >> each;
  uint64_t all = 0;
  for (const uint64_t each : ticks) all += each;
  std::array<double, 3> load{};
  if (::getloadavg(load.data(), 3) != 3) load = {};
  return {{"Count", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"ForJobs", cores.for_jobs()},
          {"TakenByJobs", cores.taken()},
          {"Load", load},
          {"BusySeconds", SecondsOf(all - ticks[3] - ticks[4])}};
}

json Memory() {
  std::istringstream lines(ReadFile("/proc/meminfo", 1 << 16).value_or(""));
  json memory = json::object();
  std::string name, unit;
  uint64_t kilobytes = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream(line) >> name >> kilobytes >> unit;
    if (name == "MemTotal:") memory["Bytes"] = kilobytes * 1024;
    if (name == "MemAvailable:") memory["Available"] = kilobytes * 1024;
  }
  return memory;
}

json Usage(const jobs::TreeUsage& usage) {
  return {{"Processes", usage.processes},
          {"Threads", usage.threads},
          {"CpuSeconds", SecondsOf(usage.cpu_ticks)},
          {"MemoryBytes", usage.resident_bytes}};
}

json Server(const MachineReportOptions& options) {
  json server = Usage(jobs::UsageOf({::getpid()}));
  server["Process"] = ::getpid();
  server["Started"] = static_cast<double>(options.started) / 1000;
  return server;
}

json Processes(const MachineReportOptions& options, const std::string& account) {
  json rows = json::array();
  for (const TenantProcess& each : TenantProcesses(options.data_dir, options.supervisor, account)) {
    json row = Usage(each.usage);
    row["Kind"] = each.kind;
    row["Name"] = each.name;
    row["Host"] = each.host;
    row["Process"] = each.pid;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

json MachineReport(const MachineReportOptions& options, jobs::CorePool& cores, const std::string& account) {
  std::error_code failed;
  const auto space = std::filesystem::space(options.data_dir, failed);
  json report{{"Versions", Versions()},
              {"Server", Server(options)},
              {"Cores", Processor(cores)},
              {"Memory", Memory()},
              {"Processes", Processes(options, account)}};
  if (!failed) report["Disk"] = {{"Bytes", space.capacity}, {"Free", space.available}};
  return report;
}

}  // namespace headrace::apps
