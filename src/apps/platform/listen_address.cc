#include "apps/platform/listen_address.h"

#include <charconv>

#include <arpa/inet.h>

namespace headrace::apps {
namespace {

bool IsIp(const std::string& text) {
  in6_addr address;
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 || ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

bool ListenAddress::loopback() const { return ip.starts_with("127.") || ip == "::1"; }

Result<ListenAddress> ParseListenAddress(const std::string& setting, const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon != std::string::npos) {
    std::string ip = text.substr(0, colon);
    if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
    if (ip == "localhost") ip = "127.0.0.1";
    uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (IsIp(ip) && error == std::errc() && end == text.data() + text.size()) return ListenAddress{ip, port};
  }
  return Fail(ErrorCode::kInvalidArgument, "{}: found '{}', wanted ADDRESS:PORT, for example 127.0.0.1:4567", setting,
              text);
}

std::string ReachableAt(const std::string& ip, uint16_t port) {
  if (ip == "0.0.0.0") return fmt::format("127.0.0.1:{}", port);
  if (ip == "::") return fmt::format("[::1]:{}", port);
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port);
}

}  // namespace headrace::apps
