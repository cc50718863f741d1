#include "apps/commands/endpoints_command.h"

#include <iostream>

#include "apps/client/api_client.h"
#include "apps/command.h"
#include "apps/platform/settings.h"
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

void DeleteEndpoint(const ApiClient& client, const std::string& name, OutputFormat) {
  ValueOrThrow(client.Call("sagemaker", "DeleteEndpoint", {{"EndpointName", name}}));
}

void AddEndpointAction(CLI::App& endpoints, const char* action, const char* help, bool takes_name,
                       void (*act)(const ApiClient&, const std::string&, OutputFormat)) {
  CLI::App* command = endpoints.add_subcommand(action, help);
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto name = std::make_shared<std::string>();
  if (takes_name) command->add_option("NAME", *name, "the endpoint")->required();
  auto format = AddOutputOption(*command);
  command->callback([=] { act(ValueOrThrow(ApiClient::Find(options->Read().data_dir)), *name, *format); });
}

}  // namespace

void AddEndpointsCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("endpoints", "endpoints: list, describe, delete");
  command->require_subcommand(1);
  AddEndpointAction(*command, "list", "all endpoints, newest first", false, ListEndpoints);
  AddEndpointAction(*command, "describe", "one endpoint: its variants, instances and why it failed", true,
                    ShowEndpoint);
  AddEndpointAction(*command, "delete", "end an endpoint, in whatever state", true, DeleteEndpoint);
  SetExample(*command, "headrace endpoints describe my-endpoint");
}

}  // namespace headrace::apps
