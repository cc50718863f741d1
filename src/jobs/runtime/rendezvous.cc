#include "jobs/runtime/rendezvous.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace headrace::jobs {
namespace {

using nlohmann::json;

size_t IndexOfHost(const JobDescription& job) {
  const auto found = std::find(job.hosts.begin(), job.hosts.end(), job.current_host);
  return static_cast<size_t>(found - job.hosts.begin());
}

// What torchrun tells its processes, of which there is one a host, as SageMaker starts them on instances without
// accelerators.
std::map<std::string, std::string> OfTorch(const JobDescription& job, bool named) {
  const auto rank = std::to_string(IndexOfHost(job)), hosts = std::to_string(job.hosts.size());
  std::map<std::string, std::string> variables = {{"MASTER_ADDR", named ? job.hosts.front() : "127.0.0.1"},
                                                  {"MASTER_PORT", std::to_string(job.ports.front())},
                                                  {"RANK", rank},
                                                  {"WORLD_SIZE", hosts},
                                                  {"LOCAL_RANK", "0"},
                                                  {"LOCAL_WORLD_SIZE", "1"},
                                                  {"NODE_RANK", rank},
                                                  {"GROUP_RANK", rank},
                                                  {"GROUP_WORLD_SIZE", hosts},
                                                  {"ROLE_RANK", rank},
                                                  {"ROLE_WORLD_SIZE", hosts},
                                                  {"ROLE_NAME", "default"},
                                                  {"TORCHELASTIC_RUN_ID", job.job_name},
                                                  {"TORCHELASTIC_RESTART_COUNT", std::to_string(job.attempt)},
                                                  {"TORCHELASTIC_MAX_RESTARTS", std::to_string(job.request.retries)}};
  for (const char* name : {"GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"}) variables[name] = "lo";
  return variables;
}

// "algo-2:20001", of the host with that index at the port with that index.
json Address(const JobDescription& job, bool named, size_t host, size_t port) {
  return fmt::format("{}:{}", named ? job.hosts[host] : "127.0.0.1", job.ports[port]);
}

json Addresses(const JobDescription& job, bool named, size_t from, size_t to, size_t first_port) {
  json list = json::array();
  for (size_t host = from; host < to; ++host) list.push_back(Address(job, named, host, first_port + host));
  return list;
}

// Every host serves parameters; the first one is the master, the others are workers.
json ConfigOfParameterServers(const JobDescription& job, bool named) {
  const size_t hosts = job.hosts.size(), index = IndexOfHost(job);
  const json cluster = {{"master", Addresses(job, named, 0, 1, 0)},
                        {"worker", Addresses(job, named, 1, hosts, 0)},
                        {"ps", Addresses(job, named, 0, hosts, hosts)}};
  const json task =
      index == 0 ? json{{"type", "master"}, {"index", 0}} : json{{"type", "worker"}, {"index", index - 1}};
  return {{"cluster", cluster}, {"task", task}, {"environment", "cloud"}};
}

json ConfigOfMirroredWorkers(const JobDescription& job, bool named) {
  return {{"cluster", {{"worker", Addresses(job, named, 0, job.hosts.size(), 0)}}},
          {"task", {{"type", "worker"}, {"index", IndexOfHost(job)}}},
          {"environment", "cloud"}};
}

}  // namespace

size_t PortsFor(Rendezvous rendezvous, size_t hosts) {
  switch (rendezvous) {
    case Rendezvous::kNone:
      return 0;
    case Rendezvous::kTorch:
    case Rendezvous::kSdkDrivers:
      return 1;
    case Rendezvous::kParameterServers:
      return 2 * hosts;
    case Rendezvous::kMirroredWorkers:
      return hosts;
  }
  return 0;
}

std::map<std::string, std::string> RendezvousVariables(const JobDescription& job, bool named) {
  const auto rendezvous = job.request.rendezvous;
  if (job.ports.size() < PortsFor(rendezvous, job.hosts.size())) return {};
  switch (rendezvous) {
    case Rendezvous::kNone:
    case Rendezvous::kSdkDrivers:  // they make variables of what they say themselves
      return {};
    case Rendezvous::kTorch:
      return OfTorch(job, named);
    case Rendezvous::kParameterServers:
      return {{"TF_CONFIG", ConfigOfParameterServers(job, named).dump()}};
    case Rendezvous::kMirroredWorkers:
      return {{"TF_CONFIG", ConfigOfMirroredWorkers(job, named).dump()}};
  }
  return {};
}

}  // namespace headrace::jobs
