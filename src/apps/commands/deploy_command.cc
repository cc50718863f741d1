// headrace deploy JOB
#include "apps/commands/deploy_command.h"

#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/client/server_options.h"
#include "apps/command.h"

namespace headrace::apps {
namespace {

struct DeployArguments {
  std::string job, name, instance_type = "ml.m5.xlarge";
  int instances = 1;
  bool no_wait = false;
};

void Deploy(const ServerOptions& server, const DeployArguments& arguments, OutputFormat format) {
  const auto estimator = sagemaker::TensorFlow::attach(arguments.job, server.FindSession(), {.wait = false});
  const auto predictor = estimator.deploy(arguments.instances, arguments.instance_type,
                                          {.endpoint_name = arguments.name, .wait = !arguments.no_wait});
  if (format == OutputFormat::kJson) {
    std::cout
        << nlohmann::json{{"EndpointName", predictor.endpoint_name()}, {"ModelDataUrl", estimator.model_data()}}.dump(2)
        << "\n";
  } else {
    std::cout << predictor.endpoint_name() << "\n";
  }
}

}  // namespace

void AddDeployCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("deploy", "the model of a training job behind an endpoint; prints the endpoint's name");
  const ServerOptions server(*command);
  auto arguments = std::make_shared<DeployArguments>();
  command->add_option("JOB", arguments->job, "a training job that has completed")->required();
  command->add_option("--name", arguments->name, "of the endpoint; default: the job's base name and the time");
  command->add_option("--instances", arguments->instances, "how many")->capture_default_str();
  command->add_option("--instance-type", arguments->instance_type, "of each")->capture_default_str();
  command->add_flag("--no-wait", arguments->no_wait, "do not wait until it answers");
  auto format = AddOutputOption(*command);
  command->callback([=] { Deploy(server, *arguments, *format); });
  SetExample(*command, "headrace deploy my-job --name cifar10");
}

}  // namespace headrace::apps
