// Certificates of our own: an authority and a server certificate that it signs, for TLS on loopback.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::http {

struct Certificate {
  std::string certificate, key;  // PEM; the key is secret
};

// `name` is what viewers of certificates show.
Result<Certificate> MakeAuthority(const std::string& name, int days);
// `hosts`: DNS names and IP addresses.
Result<Certificate> MakeServerCertificate(const Certificate& authority, const std::vector<std::string>& hosts,
                                          int days);

}  // namespace headrace::http
