// The HttpSender over libcurl: TLS, names, proxies of the environment, connections that are kept and used again.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

struct CurlOptions {
  std::string ca_bundle;  // a PEM file; "": the system's certificates
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};  // without a byte in either direction
  bool proxies = true;                             // those of the environment
};

std::unique_ptr<HttpSender> MakeCurlSender(const CurlOptions& options);

}  // namespace headrace::sagemaker
