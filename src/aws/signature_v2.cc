#include "aws/signature_v2.h"

#include <algorithm>
#include <map>

#include "aws/digest.h"

namespace headrace::aws {
namespace {

// Sub-resources and overrides that belong to the resource; other parameters are not signed.
constexpr std::string_view kSignedParameters[] = {"accelerate",
                                                  "acl",
                                                  "analytics",
                                                  "cors",
                                                  "defaultObjectAcl",
                                                  "delete",
                                                  "inventory",
                                                  "lifecycle",
                                                  "location",
                                                  "logging",
                                                  "metrics",
                                                  "notification",
                                                  "object-lock",
                                                  "partNumber",
                                                  "policy",
                                                  "replication",
                                                  "requestPayment",
                                                  "response-cache-control",
                                                  "response-content-disposition",
                                                  "response-content-encoding",
                                                  "response-content-language",
                                                  "response-content-type",
                                                  "response-expires",
                                                  "restore",
                                                  "select",
                                                  "select-type",
                                                  "storageClass",
                                                  "tagging",
                                                  "torrent",
                                                  "uploadId",
                                                  "uploads",
                                                  "versionId",
                                                  "versioning",
                                                  "versions",
                                                  "website"};

bool IsSigned(std::string_view name) {
  return std::ranges::find(kSignedParameters, name) != std::end(kSignedParameters);
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Headers win over parameters of the same name, which presigning puts in their place.
std::string Either(const http::Request& request, const Parameters& query, std::string_view name) {
  if (const std::string* value = request.headers.Find(name)) return *value;
  for (const auto& [key, value] : query)
    if (Lower(key) == name) return value;
  return {};
}

std::string AmzHeaders(const http::Request& request, const Parameters& query) {
  std::map<std::string, std::string> values;
  for (const auto& field : request.headers.fields()) {
    const std::string name = Lower(field.name);
    if (!name.starts_with("x-amz-") || name == "x-amz-date") continue;
    const auto [place, fresh] = values.emplace(name, field.value);
    if (!fresh) place->second += "," + field.value;
  }
  for (const auto& [key, value] : query)
    if (const std::string name = Lower(key); name.starts_with("x-amz-")) values.emplace(name, value);
  std::string lines;
  for (const auto& [name, value] : values) lines.append(name).append(":").append(value).append("\n");
  return lines;
}

std::string SubResources(const Parameters& query) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const auto& pair : query)
    if (IsSigned(pair.first)) kept.push_back(pair);
  std::sort(kept.begin(), kept.end());
  std::string text;
  for (const auto& [name, value] : kept) {
    text.append(text.empty() ? "?" : "&").append(name);
    if (!value.empty()) text.append("=").append(value);
  }
  return text;
}

}  // namespace

std::string StringToSignV2(const http::Request& request, std::string_view resource) {
  const Parameters query = http::QueryParameters(request.query);
  std::string expires;
  for (const auto& [name, value] : query)
    if (name == "Expires") expires = value;
  std::string text = request.method;
  for (const std::string& part : {Either(request, query, "content-md5"), Either(request, query, "content-type"),
                                  expires, AmzHeaders(request, query)})
    text.append("\n").append(part);
  return text.append(resource).append(SubResources(query));
}

bool MatchesSignatureV2(const http::Request& request, std::string_view secret, std::string_view signature) {
  std::vector<std::string> resources = {request.path};
  if (request.path.find('/', 1) == std::string::npos) resources.push_back(request.path + "/");
  const std::string host = request.headers.Get("host");
  if (const size_t dot = host.find('.'); dot != std::string::npos)
    resources.push_back("/" + host.substr(0, dot) + request.path);
  return std::any_of(resources.begin(), resources.end(), [&](const std::string& resource) {
    return SameSecret(Base64(HmacSha1(secret, StringToSignV2(request, resource))), signature);
  });
}

}  // namespace headrace::aws
