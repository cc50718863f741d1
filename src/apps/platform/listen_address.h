// "127.0.0.1:4567", "[::1]:0": where to listen.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::apps {

struct ListenAddress {
  std::string ip;
  uint16_t port = 0;
  bool loopback() const;
};

// `setting` is named in the error.
Result<ListenAddress> ParseListenAddress(const std::string& setting, const std::string& text);
// For URLs: "127.0.0.1:4567", "[::1]:4567"; an address for all interfaces becomes the loopback one.
std::string ReachableAt(const std::string& ip, uint16_t port);

}  // namespace headrace::apps
