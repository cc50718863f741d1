// Keys of the container or the machine that the program runs on.
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "sagemaker/credentials/places.h"

namespace headrace::sagemaker {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kContainerPatience{2000}, kMachinePatience{1000};
constexpr const char* kContainerMethod = "container-role";
constexpr const char* kMachineMethod = "iam-role";

std::string HostOf(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos) return {};
  std::string host = url.substr(begin + 3);
  host.resize(std::min(host.find_first_of("/?#"), host.size()));
  if (host.find_first_of("@\\") != std::string::npos) return {};
  const size_t name_end = host.starts_with('[') ? host.find(']') + 1 : host.find(':');
  host.resize(std::min(name_end, host.size()));
  return host;
}

// Who else listens in a clear-text conversation: nobody on this machine's own addresses and on those of AWS's agents.
bool MayAsk(const std::string& url) {
  constexpr std::array<std::string_view, 5> kKnown = {"localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
                                                      "[::1]"};
  const std::string host = HostOf(url);
  if (host.empty()) return false;
  if (url.starts_with("https://")) return true;
  const bool loopback = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
  return url.starts_with("http://") && (loopback || std::find(kKnown.begin(), kKnown.end(), host) != kKnown.end());
}

bool IsTrue(std::optional<std::string> text) {
  if (!text) return false;
  std::transform(text->begin(), text->end(), text->begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return *text == "true";
}

// The metadata service of this machine; every question counts against one second.
class Metadata {
 public:
  Metadata(const CredentialPlaces& places, std::string base)
      : places_(places), base_(std::move(base)), deadline_(steady_clock::now() + kMachinePatience) {}

  std::optional<std::string> Ask(const char* method, const std::string& path, const HttpHeader& header) const {
    const HttpRequest request{.method = method, .url = base_ + path, .headers = {header}};
    const auto reply = places_.http.Send(request, deadline_, places_.stop);
    if (!reply.ok() || reply->status != 200) return std::nullopt;
    return reply->body;
  }

 private:
  const CredentialPlaces& places_;
  const std::string base_;
  const steady_clock::time_point deadline_;
};

}  // namespace

Found KeysOfContainer(const CredentialPlaces& places) {
  const Environment& environment = places.settings.environment();
  const auto relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
             full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative && !full) return Nothing();
  const std::string url = relative ? "http://169.254.170.2" + *relative : *full;
  if (!MayAsk(url))
    return WrongConfiguration(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI: wanted https://, or http:// to this machine or to AWS's agent on it");
  HttpRequest request{.method = "GET", .url = url, .headers = {{"Accept", "application/json"}}};
  auto token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    auto read = ReadRegularFile(*file, kMaxToken);
    if (!read) return WrongConfiguration("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " + read.error().message());
    token = *read;
  }
  if (token && token->find_first_of("\r\n") != std::string::npos)
    return WrongConfiguration("the container's authorization token has more than one line");
  if (token) request.headers.push_back({"Authorization", *token});
  const auto reply = places.http.Send(request, steady_clock::now() + kContainerPatience, places.stop);
  if (!reply.ok()) return reply.error();
  if (reply->status != 200)
    return WrongConfiguration("the container's credentials: the service answers with status " +
                              std::to_string(reply->status));
  return KeysOfDocument(reply->body, "Token", kContainerMethod);
}

Found KeysOfMachine(const CredentialPlaces& places) {
  const Environment& environment = places.settings.environment();
  if (IsTrue(environment("AWS_EC2_METADATA_DISABLED"))) return Nothing();
  std::string base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254");
  while (base.ends_with('/')) base.pop_back();
  const Metadata metadata(places, base);
  const auto token = metadata.Ask("PUT", "/latest/api/token", {"x-aws-ec2-metadata-token-ttl-seconds", "21600"});
  if (!token) return Nothing();  // no such machine
  constexpr const char* kRoles = "/latest/meta-data/iam/security-credentials/";
  const HttpHeader proof{"x-aws-ec2-metadata-token", *token};
  const auto role = metadata.Ask("GET", kRoles, proof);
  if (!role) return Nothing();  // a machine without a role
  const auto keys = metadata.Ask("GET", kRoles + *role, proof);
  if (!keys) return Nothing();
  return KeysOfDocument(*keys, "Token", kMachineMethod);
}

}  // namespace headrace::sagemaker
