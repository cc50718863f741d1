#include "sagemaker/clients/services.h"

#include <array>

namespace headrace::sagemaker {
namespace {

constexpr std::array<Service, 8> kServices{{
    {"sagemaker", "sagemaker", "sagemaker", "api.sagemaker", Protocol::kJson, "SageMaker", "1.1"},
    {"sagemaker-runtime", "sagemaker_runtime", "sagemaker", "runtime.sagemaker", Protocol::kRest, "", ""},
    {"s3", "s3", "s3", "s3", Protocol::kRest, "", ""},
    {"logs", "cloudwatch_logs", "logs", "logs", Protocol::kJson, "Logs_20140328", "1.1"},
    {"cloudwatch", "cloudwatch", "monitoring", "monitoring", Protocol::kJson, "GraniteServiceVersion20100801", "1.0"},
    {"headrace", "headrace", "headrace", "headrace", Protocol::kJson, "HeadraceConsole", "1.1"},
    {"sts", "sts", "sts", "sts", Protocol::kQuery, "", "2011-06-15"},
    {"iam", "iam", "iam", "iam", Protocol::kQuery, "", "2010-05-08"},
}};

bool IsIam(const Service& service) { return service.name == "iam"; }

}  // namespace

const Service* FindService(std::string_view name) {
  for (const Service& service : kServices) {
    if (service.name == name) return &service;
  }
  return nullptr;
}

std::string_view DomainOf(const std::string& region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::string AwsEndpoint(const Service& service, const std::string& region) {
  const std::string domain(DomainOf(region));
  if (!IsIam(service)) return "https://" + std::string(service.host_prefix) + "." + region + "." + domain;
  if (region.starts_with("cn-")) return "https://iam.cn-north-1." + domain;
  return region.starts_with("us-gov-") ? "https://iam.us-gov." + domain : "https://iam." + domain;
}

std::string SigningRegion(const Service& service, const std::string& region, bool aws_endpoint) {
  if (!IsIam(service) || !aws_endpoint) return region;
  if (region.starts_with("cn-")) return "cn-north-1";
  return region.starts_with("us-gov-") ? "us-gov-west-1" : "us-east-1";
}

bool IsRegion(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

bool IsAwsHost(std::string_view host) {
  for (const std::string_view domain : {".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"}) {
    if (host.ends_with(domain)) return true;
  }
  return false;
}

bool IsLoopback(std::string_view host) {
  const bool address = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return address || host == "localhost" || host.ends_with(".localhost") || host == "[::1]";
}

}  // namespace headrace::sagemaker
