#include "jobs/runtime/rendezvous.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

JobDescription Job(const std::string& name, const std::string& host, std::vector<int> ports) {
  JobDescription job;
  job.request = ValueOrThrow(
      DecodeTrainingRequest({{"HyperParameters", {{name, "true"}}}, {"ResourceConfig", {{"InstanceCount", 3}}}}));
  job.hosts = {"algo-1", "algo-2", "algo-3"};
  job.current_host = host;
  job.job_name = "job";
  job.ports = std::move(ports);
  return job;
}

TEST(Rendezvous, FollowsTheHyperparametersOfTheSdk) {
  const auto asked = [](const char* name, const char* value) {
    return RendezvousOf(DecodeHyperparameters({{name, value}}), 2);
  };
  EXPECT_EQ(asked("sagemaker_torch_distributed_enabled", "true"), Rendezvous::kTorch);
  EXPECT_EQ(asked("sagemaker_pytorch_ddp_enabled", "true"), Rendezvous::kTorch);
  EXPECT_EQ(asked("sagemaker_parameter_server_enabled", "true"), Rendezvous::kParameterServers);
  EXPECT_EQ(asked("sagemaker_multi_worker_mirrored_strategy_enabled", "true"), Rendezvous::kMirroredWorkers);
  EXPECT_EQ(asked("sagemaker_torch_distributed_enabled", "false"), Rendezvous::kNone);
  EXPECT_EQ(asked("epochs", "3"), Rendezvous::kNone);
  EXPECT_EQ(RendezvousOf(DecodeHyperparameters({{"sagemaker_parameter_server_enabled", "true"}}), 1),
            Rendezvous::kNone);
}

TEST(Rendezvous, ScriptsOfTheSdksVersion3HaveAPortOnSeveralHosts) {
  const auto of = [](int hosts, const char* parameter) {
    const auto request = ValueOrThrow(DecodeTrainingRequest({{"HyperParameters", {{parameter, "true"}}},
                                                             {"InputDataConfig", {{{"ChannelName", "sm_drivers"}}}},
                                                             {"ResourceConfig", {{"InstanceCount", hosts}}}}));
    return request.rendezvous;
  };
  EXPECT_EQ(of(2, "epochs"), Rendezvous::kSdkDrivers);
  EXPECT_EQ(of(1, "epochs"), Rendezvous::kNone);
  EXPECT_EQ(of(2, "sagemaker_torch_distributed_enabled"), Rendezvous::kTorch);
  EXPECT_EQ(PortsFor(Rendezvous::kSdkDrivers, 2), 1U);
}

TEST(Rendezvous, OfTorchIsTorchruns) {
  EXPECT_EQ(PortsFor(Rendezvous::kTorch, 3), 1U);
  const auto variables = RendezvousVariables(Job("sagemaker_torch_distributed_enabled", "algo-2", {20001}), true);
  EXPECT_EQ(variables.at("MASTER_ADDR"), "algo-1");
  EXPECT_EQ(variables.at("MASTER_PORT"), "20001");
  EXPECT_EQ(variables.at("RANK"), "1");
  EXPECT_EQ(variables.at("WORLD_SIZE"), "3");
  EXPECT_EQ(variables.at("LOCAL_RANK"), "0");
  EXPECT_EQ(variables.at("NODE_RANK"), "1");
  EXPECT_EQ(variables.at("GLOO_SOCKET_IFNAME"), "lo");
}

TEST(Rendezvous, OfParameterServersIsTheToolkits) {
  EXPECT_EQ(PortsFor(Rendezvous::kParameterServers, 3), 6U);
  const auto config = [](const char* host) {
    const auto job = Job("sagemaker_parameter_server_enabled", host, {20001, 20002, 20003, 20004, 20005, 20006});
    return json::parse(RendezvousVariables(job, true).at("TF_CONFIG"));
  };
  EXPECT_EQ(config("algo-3"),
            json::parse(R"({"cluster": {"master": ["algo-1:20001"], "worker": ["algo-2:20002", "algo-3:20003"],
      "ps": ["algo-1:20004", "algo-2:20005", "algo-3:20006"]}, "task": {"type": "worker", "index": 1},
      "environment": "cloud"})"));
  EXPECT_EQ(config("algo-1").at("task"), (json{{"type", "master"}, {"index", 0}}));
}

TEST(Rendezvous, OfMirroredWorkersHasAPortForEachHost) {
  EXPECT_EQ(PortsFor(Rendezvous::kMirroredWorkers, 3), 3U);
  const auto job = Job("sagemaker_multi_worker_mirrored_strategy_enabled", "algo-2", {20001, 20002, 20003});
  EXPECT_EQ(json::parse(RendezvousVariables(job, false).at("TF_CONFIG")),
            json::parse(R"({"cluster": {"worker": ["127.0.0.1:20001", "127.0.0.1:20002", "127.0.0.1:20003"]},
                            "task": {"type": "worker", "index": 1}, "environment": "cloud"})"));
}

TEST(Rendezvous, IsLeftOutOfJobsThatAskForNone) {
  EXPECT_EQ(PortsFor(Rendezvous::kNone, 3), 0U);
  EXPECT_THAT(RendezvousVariables(Job("epochs", "algo-1", {}), true), IsEmpty());
}

}  // namespace
}  // namespace headrace::jobs
