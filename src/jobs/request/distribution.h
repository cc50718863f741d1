// How the processes of a training job are started, as SageMaker's toolkit reads it from hyperparameters.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "jobs/request/hyperparameters.h"

namespace headrace::jobs {

// Hyperparameters sagemaker_mpi_….
struct MpiDistribution {
  int processes_per_host = 1;  // sagemaker_mpi_num_of_processes_per_host
  int processes = 1;           // of the job: sagemaker_mpi_num_processes, or processes_per_host on each host
  std::string custom_options;  // sagemaker_mpi_custom_mpi_options, for mpirun; to be split as a shell does

  bool operator==(const MpiDistribution&) const = default;
};

// nullopt without sagemaker_mpi_enabled. kInvalidArgument names the hyperparameter whose value cannot be.
Result<std::optional<MpiDistribution>> MpiOf(const Hyperparameters& parameters, int hosts);

// By which variables a framework's own means of distributed training learn of the job's other hosts.
enum class Rendezvous {
  kNone,
  kTorch,             // MASTER_ADDR, RANK …: sagemaker_torch_distributed_enabled, sagemaker_pytorch_ddp_enabled
  kParameterServers,  // TF_CONFIG: sagemaker_parameter_server_enabled, on several hosts
  kMirroredWorkers,   // TF_CONFIG: sagemaker_multi_worker_mirrored_strategy_enabled
  kSdkDrivers,        // the scripts of the SDK's version 3, on several hosts, which name a port (launch/sdk_drivers.h)
};
Rendezvous RendezvousOf(const Hyperparameters& parameters, int hosts);

// "true", "True" and 1 in a hyperparameter; of a text, any that does not say no.
bool IsOn(const nlohmann::json& value);

}  // namespace headrace::jobs
