#include "api/s3/exchange.h"

#include <algorithm>
#include <charconv>

#include "aws/time.h"

namespace headrace::api::s3 {
namespace {

std::string HostName(const http::Request& request) {
  std::string host = request.headers.Get("host");
  if (host.starts_with('[')) return {};  // an IPv6 address
  host.resize(std::min(host.find(':'), host.size()));
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  return host;
}

// What stands in front of ".DOMAIN", or "".
std::string BucketOfHost(const std::string& host, const std::vector<std::string>& domains) {
  for (const std::string& domain : domains)
    if (host.size() > domain.size() + 1 && host.ends_with("." + domain))
      return host.substr(0, host.size() - domain.size() - 1);
  if (!host.ends_with(".amazonaws.com")) return {};
  for (const char* mark : {".s3.", ".s3-"})
    if (const size_t at = host.rfind(mark); at != std::string::npos) return host.substr(0, at);
  return {};
}

}  // namespace

const std::string* Exchange::Parameter(std::string_view name) const {
  for (const auto& [parameter, value] : query)
    if (parameter == name) return &value;
  return nullptr;
}

std::string Exchange::ParameterOr(std::string_view name, std::string_view otherwise) const {
  const std::string* value = Parameter(name);
  return value != nullptr ? *value : std::string(otherwise);
}

void ReadAddress(Exchange& exchange, const std::vector<std::string>& domains) {
  exchange.query = http::QueryParameters(exchange.request.query);
  std::string_view path = exchange.request.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  exchange.bucket = BucketOfHost(HostName(exchange.request), domains);
  if (exchange.bucket.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    exchange.bucket = http::PercentDecode(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  exchange.key = http::PercentDecode(path);
}

http::Response Empty(int status) {
  http::Response response;
  response.status = status;
  return response;
}

http::Response Xml(std::string document) { return http::TextResponse(200, "application/xml", std::move(document)); }

Reply<size_t> CountParameter(const Exchange& exchange, std::string_view name, size_t limit) {
  const std::string* text = exchange.Parameter(name);
  if (text == nullptr || text->empty()) return limit;
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0)
    return InvalidArgument(name, *text, fmt::format("Argument {} must be an integer between 0 and 2147483647", name));
  return std::min(static_cast<size_t>(value), limit);
}

Reply<bool> EncodesKeys(const Exchange& exchange) {
  const std::string encoding = exchange.ParameterOr("encoding-type", "");
  if (!encoding.empty() && encoding != "url")
    return InvalidArgument("encoding-type", encoding, "Invalid Encoding Method specified in Request");
  return !encoding.empty();
}

std::string ListedTime(UnixMillis time) { return aws::Iso8601Millis(time / 1000 * 1000); }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string Quoted(std::string_view etag) { return fmt::format("\"{}\"", etag); }

std::string Unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

}  // namespace headrace::api::s3
