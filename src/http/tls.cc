#include "http/tls.h"

#include <boost/asio/ssl/context.hpp>

namespace headrace::http {

TlsContext::TlsContext(std::unique_ptr<boost::asio::ssl::context> context) : context_(std::move(context)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const std::string& chain_path, const std::string& key_path) {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                       ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  context->use_certificate_chain_file(chain_path, error);
  if (error) return Fail(ErrorCode::kInvalidArgument, "{}: not a certificate chain: {}", chain_path, error.message());
  context->use_private_key_file(key_path, ssl::context::pem, error);
  if (error)
    return Fail(ErrorCode::kInvalidArgument, "{}: not the private key of {}: {}", key_path, chain_path,
                error.message());
  return std::make_shared<const TlsContext>(std::move(context));
}

}  // namespace headrace::http
