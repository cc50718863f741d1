// Signatures and percent-encoding for requests of the SDK; the only files here that see src/aws's and src/http's
// messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {

struct UnsignedRequest {
  std::string method;
  std::string host;   // with its port when that is not the scheme's
  std::string path;   // encoded
  std::string query;  // encoded, without '?'
};

// The headers to send: `headers`, Host, X-Amz-Date and what else belongs to a signature of version 4.
std::vector<HttpHeader> SignedHeaders(const UnsignedRequest& request, const std::vector<HttpHeader>& headers,
                                      const Credentials& credentials, const std::string& region,
                                      const std::string& service, UnixMillis now, std::string_view payload_hash);

// With the unreserved set A-Za-z0-9-_.~, and '/' where it stays.
std::string UriEncode(std::string_view text, bool keep_slash = false);
std::string UriDecode(std::string_view text);

}  // namespace headrace::sagemaker
