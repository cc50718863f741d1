// TlsContext: a certificate chain and its key, ready for a listener; and what a client trusts.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace boost::asio::ssl {
class context;
}

namespace headrace::http {

class TlsContext {
 public:
  // PEM files; the chain begins with the server's own certificate. TLS 1.2 and 1.3.
  static Result<std::shared_ptr<const TlsContext>> Load(const std::string& chain_path, const std::string& key_path);
  explicit TlsContext(std::unique_ptr<boost::asio::ssl::context> context);
  ~TlsContext();
  boost::asio::ssl::context& context() const { return *context_; }

 private:
  std::unique_ptr<boost::asio::ssl::context> context_;
};

}  // namespace headrace::http
