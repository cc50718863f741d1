#include "jobs/request/distribution.h"

#include <algorithm>
#include <cstdint>

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr int kMostProcesses = 100'000;

// An empty text is as good as no value: the SageMaker SDK sends one for what its caller left out.
Result<int> Count(const Hyperparameters& parameters, const char* name, int otherwise) {
  const auto found = parameters.all.find(name);
  if (found == parameters.all.end() || found->is_null()) return otherwise;
  if (found->is_string() && found->get_ref<const std::string&>().empty()) return otherwise;
  if (found->is_number_integer())
    if (const auto value = found->get<int64_t>(); value >= 1 && value <= kMostProcesses) return static_cast<int>(value);
  return Fail(ErrorCode::kInvalidArgument, "HyperParameters.{}: found '{}', wanted a whole number from 1 to {}", name,
              parameters.Text(name).substr(0, 100), kMostProcesses);
}

}  // namespace

bool IsOn(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return false;
    case json::value_t::boolean:
      return value.get<bool>();
    case json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      return !text.empty() && text != "false" && text != "False" && text != "0";
    }
    case json::value_t::array:
    case json::value_t::object:
      return !value.empty();
    default:
      return value != 0;
  }
}

Result<std::optional<MpiDistribution>> MpiOf(const Hyperparameters& parameters, int hosts) {
  const auto enabled = parameters.all.find("sagemaker_mpi_enabled");
  if (enabled == parameters.all.end() || !IsOn(*enabled)) return std::optional<MpiDistribution>();
  MpiDistribution mpi;
  HEADRACE_ASSIGN(mpi.processes_per_host, Count(parameters, "sagemaker_mpi_num_of_processes_per_host", 1));
  const auto on_all = int64_t{mpi.processes_per_host} * hosts;
  HEADRACE_ASSIGN(mpi.processes, Count(parameters, "sagemaker_mpi_num_processes",
                                       static_cast<int>(std::min<int64_t>(on_all, kMostProcesses + 1))));
  if (mpi.processes > kMostProcesses)
    return Fail(ErrorCode::kInvalidArgument,
                "HyperParameters.sagemaker_mpi_num_of_processes_per_host: found {} on each of {} instances, wanted at "
                "most {} processes altogether",
                mpi.processes_per_host, hosts, kMostProcesses);
  mpi.custom_options = parameters.Text("sagemaker_mpi_custom_mpi_options");
  return std::optional(std::move(mpi));
}

Rendezvous RendezvousOf(const Hyperparameters& parameters, int hosts) {
  constexpr std::pair<const char*, Rendezvous> kSwitches[] = {
      {"sagemaker_torch_distributed_enabled", Rendezvous::kTorch},
      {"sagemaker_pytorch_ddp_enabled", Rendezvous::kTorch},
      {"sagemaker_parameter_server_enabled", Rendezvous::kParameterServers},
      {"sagemaker_multi_worker_mirrored_strategy_enabled", Rendezvous::kMirroredWorkers}};
  for (const auto& [name, rendezvous] : kSwitches)
    if (const auto found = parameters.all.find(name); found != parameters.all.end() && IsOn(*found))
      return rendezvous == Rendezvous::kParameterServers && hosts == 1 ? Rendezvous::kNone : rendezvous;
  return Rendezvous::kNone;
}

}  // namespace headrace::jobs
