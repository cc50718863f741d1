#include "apps/commands/endpoints_command.h"

#include <iostream>

#include "apps/client/server_options.h"
#include "apps/command.h"
#include "aws/time.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

std::string TimeOf(const Json& seconds) {
  return seconds.is_number() ? aws::Iso8601(static_cast<UnixMillis>(seconds.get<double>()) * 1000) : "-";
}

void ListEndpoints(const ApiClient& client, const std::string&, OutputFormat format) {
  Json all = Json::array(), input{{"MaxResults", 100}};
  while (true) {
    const Json page = ValueOrThrow(client.Call("sagemaker", "ListEndpoints", input));
    for (const auto& endpoint : page["Endpoints"]) all.push_back(endpoint);
    if (!page.contains("NextToken")) break;
    input["NextToken"] = page["NextToken"];
  }
  if (format == OutputFormat::kJson) {
    std::cout << all.dump(2) << "\n";
    return;
  }
  for (const auto& endpoint : all)
    std::cout << fmt::format("{:<63} {:<12} {}\n", endpoint["EndpointName"].get<std::string>(),
                             endpoint["EndpointStatus"].get<std::string>(), TimeOf(endpoint["CreationTime"]));
}

void ShowEndpoint(const ApiClient& client, const std::string& name, OutputFormat format) {
  const Json endpoint = ValueOrThrow(client.Call("sagemaker", "DescribeEndpoint", {{"EndpointName", name}}));
  if (format == OutputFormat::kJson) {
    std::cout << endpoint.dump(2) << "\n";
    return;
  }
  std::cout << fmt::format("{}  {}\n  created {}, changed {}\n  configuration {}\n", name,
                           endpoint["EndpointStatus"].get<std::string>(), TimeOf(endpoint["CreationTime"]),
                           TimeOf(endpoint["LastModifiedTime"]), endpoint["EndpointConfigName"].get<std::string>());
  for (const auto& variant : endpoint.value("ProductionVariants", Json::array()))
    std::cout << fmt::format("  variant {}: {} of {} instances, weight {}\n", variant["VariantName"].get<std::string>(),
                             variant["CurrentInstanceCount"].get<int>(), variant["DesiredInstanceCount"].get<int>(),
                             variant["CurrentWeight"].get<double>());
  if (endpoint.contains("FailureReason")) std::cout << "  " << endpoint["FailureReason"].get<std::string>() << "\n";
  std::cout << fmt::format("  log group /aws/sagemaker/Endpoints/{}\n", name);
}

void DeleteEndpoint(const sagemaker::Session& session, const std::string& name, bool all) {
  const sagemaker::Predictor predictor(name, session);
  if (all) predictor.delete_model();
  predictor.delete_endpoint(all);
}

void AddEndpointAction(CLI::App& endpoints, const char* action, const char* help, bool takes_name,
                       void (*act)(const ApiClient&, const std::string&, OutputFormat)) {
  CLI::App* command = endpoints.add_subcommand(action, help);
  const ServerOptions server(*command);
  auto name = std::make_shared<std::string>();
  if (takes_name) command->add_option("ENDPOINT", *name, "the endpoint")->required();
  auto format = AddOutputOption(*command);
  command->callback([=] { act(server.FindClient(), *name, *format); });
}

void AddDeleteEndpoint(CLI::App& endpoints) {
  CLI::App* command = endpoints.add_subcommand("delete", "end an endpoint, in whatever state");
  const ServerOptions server(*command);
  auto name = std::make_shared<std::string>();
  auto all = std::make_shared<bool>(false);
  command->add_option("ENDPOINT", *name, "the endpoint")->required();
  command->add_flag("--all", *all, "its configuration and the models in it, too");
  command->callback([=] { DeleteEndpoint(server.FindSession(), *name, *all); });
}

}  // namespace

void AddEndpointsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("endpoints", "endpoints: list, describe, delete");
  command->require_subcommand(1);
  AddEndpointAction(*command, "list", "all endpoints, newest first", false, ListEndpoints);
  AddEndpointAction(*command, "describe", "one endpoint: its variants, instances and why it failed", true,
                    ShowEndpoint);
  AddDeleteEndpoint(*command);
  SetExample(*command, "headrace endpoints describe my-endpoint");
}

}  // namespace headrace::apps
