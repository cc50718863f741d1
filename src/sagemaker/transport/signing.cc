#include "sagemaker/transport/signing.h"

#include "aws/sign.h"
#include "http/message.h"

namespace headrace::sagemaker {

std::vector<HttpHeader> SignedHeaders(const UnsignedRequest& request, const std::vector<HttpHeader>& headers,
                                      const Credentials& credentials, const std::string& region,
                                      const std::string& service, UnixMillis now, std::string_view payload_hash) {
  http::Request message;
  message.method = request.method;
  message.path = request.path;
  message.query = request.query;
  message.headers.Set("Host", request.host);
  for (const HttpHeader& header : headers) message.headers.Add(header.name, header.value);
  aws::Sign(message, {credentials.access_key_id, credentials.secret_access_key, credentials.session_token},
            {region, service}, now, payload_hash);
  std::vector<HttpHeader> all;
  for (const auto& field : message.headers.fields()) all.push_back({field.name, field.value});
  return all;
}

std::string UriEncode(std::string_view text, bool keep_slash) { return http::PercentEncode(text, keep_slash); }
std::string UriDecode(std::string_view text) { return http::PercentDecode(text); }

}  // namespace headrace::sagemaker
