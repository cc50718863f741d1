#include "jobs/launch/sdk_drivers.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr const char* kSdkScript = "input/data/sm_drivers/sm_train.sh";
constexpr const char* kSdkSettings = "input/data/sm_drivers/distributed.json";
constexpr const char* kSdkLauncher = "input/data/sm_drivers/distributed_drivers/mpi_utils.py";
constexpr const char* kSdkEnvironment = "input/data/sm_drivers/scripts/environment.py";
constexpr std::string_view kSdkPort = "\nSM_MASTER_PORT = 7777\n";
constexpr size_t kLargestSdkFile = size_t{1} << 20;
constexpr int64_t kMostSdkProcesses = 100'000;

constexpr const char* kSdkLauncherText =
    R"(# Headrace's, in the place of the SDK's own: the hosts of a job have launch doors here, so there is no sshd to start and no
# key to exchange. These are the names that mpi_driver.py imports.
import importlib.util
import json
import os
import sys

import common.utils

LAUNCH = json.loads(os.environ["HEADRACE_MPI_LAUNCH"])


def log_subprocess_output(pipe):
    """mpirun cuts long lines where its buffers end, which may be inside of a character: they are passed on as they come."""
    for line in iter(pipe.readline, b""):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


common.utils.log_subprocess_output = log_subprocess_output


def write_env_vars_to_file():
    """Ranks inherit the variables of their host's driver."""


def start_sshd_daemon():
    """The door is open already."""


def bootstrap_worker_node(master_host, *_):
    """This process becomes the host's door, which ends when mpirun has ended."""
    sys.stdout.flush()
    os.execv(LAUNCH["door"][0], LAUNCH["door"])


def bootstrap_master_node(worker_hosts):
    """Whoever comes to a door waits until it is opened."""


def write_status_file_to_workers(worker_hosts, *_):
    """Doors see mpirun end."""


def get_mpirun_command(host_count, host_list, num_processes, additional_options, entry_script_path):
    if entry_script_path.endswith((".cc", ".cpp", ".cxx")):
        program = ["headrace", "run", entry_script_path]
    elif not entry_script_path.endswith(".py"):
        program = ["/bin/sh", entry_script_path]
    elif importlib.util.find_spec("mpi4py"):
        program = [sys.executable, "-m", "mpi4py", entry_script_path]
    else:
        program = [sys.executable, entry_script_path]
    return LAUNCH["mpirun"] + program
)";

std::string ShellQuoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

tl::unexpected<Error> WrongSetting(const std::string& name, const json& found, const std::string& wanted) {
  return Fail(ErrorCode::kInvalidArgument, "sm_drivers/distributed.json: {}: found {}, wanted {}", name,
              found.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 100), wanted);
}

Result<MpiDistribution> ReadSettings(const json& settings, int hosts) {
  MpiDistribution mpi;
  const json processes = settings.value("process_count_per_node", json());
  if (!processes.is_null()) {
    const bool whole = processes.is_number_integer();
    const auto count = whole ? processes.get<int64_t>() : -1;
    if (count < 0 || count > kMostSdkProcesses / hosts)
      return WrongSetting("process_count_per_node", processes,
                          fmt::format("a whole number from 1 to {}", kMostSdkProcesses / hosts));
    mpi.processes_per_host = static_cast<int>(std::max<int64_t>(count, 1));  // 0: as many as there are GPUs
  }
  mpi.processes = mpi.processes_per_host * hosts;
  const json options = settings.value("mpi_additional_options", json());
  if (options.is_null()) return mpi;
  if (!options.is_array()) return WrongSetting("mpi_additional_options", options, "a list of texts");
  for (const auto& option : options) {
    if (!option.is_string()) return WrongSetting("mpi_additional_options", option, "a text");
    mpi.custom_options += (mpi.custom_options.empty() ? "" : " ") + ShellQuoted(option.get<std::string>());
  }
  return mpi;
}

}  // namespace

Result<std::optional<MpiDistribution>> MpiOfSdkDrivers(const HeldDirectory& ml, int hosts) {
  const auto script = ml.Read(kSdkScript, kLargestSdkFile), text = ml.Read(kSdkSettings, kLargestSdkFile);
  if (!script || !text || script->find("mpi_driver.py") == std::string::npos) return std::optional<MpiDistribution>();
  const auto settings = json::parse(*text, nullptr, false);
  if (!settings.is_object())
    return Fail(ErrorCode::kInvalidArgument, "sm_drivers/distributed.json: found no JSON object");
  HEADRACE_ASSIGN(auto mpi, ReadSettings(settings, hosts));
  return std::optional(std::move(mpi));
}

Status TakeOverSdkDrivers(const HeldDirectory& ml) { return ml.Write(kSdkLauncher, kSdkLauncherText); }

Status MoveSdkPort(const HeldDirectory& ml, int port) {
  auto script = ml.Read(kSdkEnvironment, kLargestSdkFile);
  const auto found = script ? script->find(kSdkPort) : std::string::npos;
  if (found == std::string::npos) return {};
  script->replace(found, kSdkPort.size(), fmt::format("\nSM_MASTER_PORT = {}\n", port));
  return ml.Write(kSdkEnvironment, *script);
}

std::string SdkLaunch(const std::vector<std::string>& mpirun, const std::vector<std::string>& door) {
  return json({{"mpirun", mpirun}, {"door", door}}).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace headrace::jobs
