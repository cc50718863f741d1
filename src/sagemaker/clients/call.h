// One call to a service: signed, sent, tried again where that may help, and its refusal read.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sagemaker/clients/configuration.h"
#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

struct ServiceRequest {
  const Service& service;
  std::string operation;  // for messages: "CreateTrainingJob"
  std::string method = "POST";
  std::string bucket{};    // S3: becomes part of the host or of the path, as the endpoint wants it
  std::string path = "/";  // encoded; behind the bucket
  std::string query{};     // encoded
  std::vector<HttpHeader> headers{};
  std::string_view body{};
  std::optional<FilePart> file{};
  std::string payload_hash{};  // of `file`, in hex; "" : of `body`
  std::function<Outcome<void>(std::string_view)> sink{};
  std::function<void()> restart_sink{};
  size_t max_reply_bytes = size_t{64} << 20;
  bool sign = true;
  std::optional<Credentials> signer{};  // instead of the configuration's
};

// A 2xx answer, or why there is none.
Outcome<HttpReply> Send(Configuration& configuration, const ServiceRequest& request, const CallOptions& options);

// What a service says in an answer that is not 2xx.
ServiceError ReadRefusal(const std::string& operation, const HttpReply& reply);

}  // namespace headrace::sagemaker
