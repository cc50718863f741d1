#include "apps/platform/aws_data_path.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

Json Parameter(const char* built_in, const char* type) {
  Json parameter{{"required", false}, {"documentation", ""}, {"type", type}};
  if (built_in != nullptr) parameter["builtIn"] = built_in;
  if (std::string_view(type) == "boolean") {
    parameter["required"] = true;
    parameter["default"] = false;
  }
  return parameter;
}

Json Rule(Json conditions, Json url) {
  return {{"conditions", std::move(conditions)},
          {"endpoint", {{"url", std::move(url)}, {"properties", Json::object()}, {"headers", Json::object()}}},
          {"type", "endpoint"}};
}

Json IsSet(const char* parameter) { return {{"fn", "isSet"}, {"argv", Json::array({{{"ref", parameter}}})}}; }

Json RuleSet(Json rules) {
  return {{"version", "1.0"},
          {"parameters",
           {{"Region", Parameter("AWS::Region", "string")},
            {"UseDualStack", Parameter("AWS::UseDualStack", "boolean")},
            {"UseFIPS", Parameter("AWS::UseFIPS", "boolean")},
            {"Endpoint", Parameter("SDK::Endpoint", "string")}}},
          {"rules", std::move(rules)}};
}

// Whatever the client was told.
Json AlwaysOurs(const std::string& endpoint) { return RuleSet(Json::array({Rule(Json::array(), endpoint)})); }

Json OursByDefault(const std::string& endpoint) {
  return RuleSet(
      Json::array({Rule(Json::array({IsSet("Endpoint")}), {{"ref", "Endpoint"}}), Rule(Json::array(), endpoint)}));
}

}  // namespace

std::map<std::string, std::string> AwsDataFiles(const std::string& endpoint) {
  // The folder of a version must be one that botocore has as well: it takes the newest of all it finds.
  const std::map<std::string, std::string> others{{"iam", "2010-05-08"},
                                                  {"logs", "2014-03-28"},
                                                  {"cloudwatch", "2010-08-01"},
                                                  {"sagemaker", "2017-07-24"},
                                                  {"sagemaker-runtime", "2017-05-13"}};
  std::map<std::string, std::string> files;
  files["sts/2011-06-15/endpoint-rule-set-1.json"] = AlwaysOurs(endpoint).dump(1);
  for (const auto& [service, version] : others)
    files[fmt::format("{}/{}/endpoint-rule-set-1.json", service, version)] = OursByDefault(endpoint).dump(1);
  return files;
}

}  // namespace headrace::apps
