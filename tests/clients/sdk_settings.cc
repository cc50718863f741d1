// What the SDK makes of variables and files, for comparison with botocore: reads a list of cases from the standard
// input, writes a list of answers.
//
//   [{"environment": {"AWS_CONFIG_FILE": "…", …}, "profile": ""}]
//   [{"region": "us-west-2", "endpoints": {"s3": null, …}, "credentials": {…}} or {"error": "…"}]
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "sagemaker/clients/configuration.h"

namespace {

using namespace headrace;
using namespace headrace::sagemaker;
using Json = nlohmann::json;

Json Settled(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }

Json EndpointsOf(const Settings& settings) {
  Json endpoints;
  for (const char* id : {"s3", "sagemaker", "sagemaker_runtime", "cloudwatch", "cloudwatch_logs", "sts", "iam"}) {
    const auto found = settings.EndpointOf(id);
    endpoints[id] = !found ? Json("error") : *found ? Json((*found)->url) : Json();
  }
  return endpoints;
}

// AWS's own addresses, by the names of variables.
Json AwsAddresses(const std::string& region) {
  Json addresses;
  for (const char* name : {"s3", "sagemaker", "sagemaker-runtime", "cloudwatch", "logs", "sts", "iam"}) {
    const Service& service = *FindService(name);
    addresses[std::string(service.endpoint_id)] = AwsEndpoint(service, region);
  }
  return addresses;
}

Json CredentialsOf(Configuration& configuration, const Endpoint& endpoint) {
  const auto found = configuration.CredentialsFor(endpoint);
  if (!found.ok()) return {{"error", found.error().service_code}, {"message", found.error().what()}};
  return {{"access_key", found->keys.access_key_id},
          {"secret_key", found->keys.secret_access_key},
          {"token", found->keys.session_token},
          {"method", found->method}};
}

Json AnswerOf(const Json& input) {
  ClientOptions options;
  options.profile = input.value("profile", "");
  const auto variables = input["environment"].get<std::map<std::string, std::string>>();
  Configuration::Seams seams;
  seams.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  Configuration configuration(options, seams);
  const auto settings = configuration.settings();
  if (!settings.ok()) return {{"error", settings.error().what()}};
  Endpoint aws;
  aws.host = "sts.us-west-2.amazonaws.com";
  const auto attempts = (*settings)->max_attempts();
  return {{"region", Settled((*settings)->region())},
          {"ca_bundle", Settled((*settings)->ca_bundle())},
          {"max_attempts", !attempts   ? Json("error")
                           : *attempts ? Json(**attempts)
                                       : Json()},
          {"endpoints", EndpointsOf(**settings)},
          {"aws", AwsAddresses((*settings)->region().value_or(""))},
          {"credentials", CredentialsOf(configuration, aws)}};
}

}  // namespace

int main() {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  Json answers = Json::array();
  for (const Json& input : Json::parse(text)) answers.push_back(AnswerOf(input));
  std::cout << answers.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}
