#include "api/console/guards.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/console/sessions.h"

namespace headrace::api::console {
namespace {

bool IsLoopback(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]") || peer.starts_with("::1");
}

}  // namespace

std::string_view SessionCookie(const http::Request& request) {
  for (const auto& field : request.headers.fields()) {
    if (field.name != "Cookie" && field.name != "cookie") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(';'), rest.size());
      std::string_view pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (pair.starts_with(kCookie) && pair.substr(kCookie.size()).starts_with('='))
        return pair.substr(kCookie.size() + 1);
    }
  }
  return {};
}

std::string MakeSessionCookie(std::string_view id, bool secure) {
  return fmt::format("{}={}; Path=/console; Max-Age={}; HttpOnly; SameSite=Strict{}", kCookie, id,
                     id.empty() ? 0 : kSessionMillis / 1000, secure ? "; Secure" : "");
}

std::optional<http::Response> RefuseForeignPage(const http::Request& request) {
  const std::string origin = request.headers.Get("Origin");
  const std::string own = fmt::format("{}://{}", request.secure ? "https" : "http", request.headers.Get("Host"));
  if (!request.headers.Has(kPageHeader))
    return ErrorResponse(403, "ForeignPage",
                         fmt::format("The header {} is missing: pages of the console set it.", kPageHeader));
  // Browsers leave it out only where nothing is changed.
  const bool changes = request.method != "GET" && request.method != "HEAD";
  if (origin.empty() ? changes : origin != own)
    return ErrorResponse(403, "ForeignPage",
                         fmt::format("Origin '{}': wanted this address, '{}'.", origin.substr(0, 200), own));
  return std::nullopt;
}

std::optional<http::Response> RefusePlainNetwork(const http::Request& request) {
  if (request.secure || IsLoopback(request.peer)) return std::nullopt;
  return ErrorResponse(
      403, "PlainNetwork",
      "Keys are not taken over a network without TLS: open the console by https (--tls-listen, --tls-certificate), "
      "or on the server's own machine.");
}

http::Response ErrorResponse(int status, std::string_view code, std::string_view message) {
  const nlohmann::json document{{"__type", code}, {"message", message}};
  return http::TextResponse(status, "application/json",
                            document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace headrace::api::console
