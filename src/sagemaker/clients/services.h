// The services that the SDK speaks to: their protocols, names in signatures and variables, and AWS's own addresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headrace::sagemaker {

enum class Protocol { kJson, kQuery, kRest };

struct Service {
  std::string_view name;          // as clients are named: "cloudwatch"
  std::string_view endpoint_id;   // AWS_ENDPOINT_URL_<ID>, in lower case
  std::string_view signing_name;  // in the scope of signatures
  std::string_view host_prefix;   // "monitoring" of monitoring.REGION.amazonaws.com
  Protocol protocol = Protocol::kJson;
  std::string_view target;   // JSON: X-Amz-Target's part before the dot
  std::string_view version;  // JSON: 1.0 or 1.1; Query: the version of the interface
};

// Null for a name that is none of them.
const Service* FindService(std::string_view name);

// "https://runtime.sagemaker.us-west-2.amazonaws.com"
std::string AwsEndpoint(const Service& service, const std::string& region);
// The region that a signature names: IAM has one for the whole partition.
std::string SigningRegion(const Service& service, const std::string& region, bool aws_endpoint);
// "amazonaws.com" or, in China, "amazonaws.com.cn".
std::string_view DomainOf(const std::string& region);
// Whether text has the form of a region's name, so that it may become part of a host's.
bool IsRegion(std::string_view text);
// Whether a host is AWS's own.
bool IsAwsHost(std::string_view host);
// Whether a host is this machine by its name or address.
bool IsLoopback(std::string_view host);

}  // namespace headrace::sagemaker
