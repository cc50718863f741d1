// DataDirectory: where one `headrace serve` keeps everything. What lies where:
//
//   lock         held by the server that runs here
//   keys         the first key pair (JSON, 0600)
//   server.json  where the last server listened: what `headrace env` reads
//   meta.db      SQLite; objects/, jobs/, cache/
//   tls/         our own authority and server certificate
//   aws/         what AWS_DATA_PATH names (aws_data_path.h)
//   log/
#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::apps {

// Where a server listens, as its clients need to know.
struct ServerAddress {
  std::string endpoint;      // "http://127.0.0.1:4567"
  std::string tls_endpoint;  // "https://localhost:4568"; empty without
  std::string region;
  int pid = 0;
};

struct KeyPair {
  std::string access_key_id, secret_access_key;
};

class DataDirectory {
 public:
  explicit DataDirectory(const std::string& path);  // made absolute

  // Makes it (0700) and what is in it. kFailedPrecondition when another server runs here.
  Status Claim();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  Status WriteKeys(const KeyPair& keys) const;
  Result<KeyPair> ReadKeys() const;
  Status WriteAddress(const ServerAddress& address) const;
  // kNotFound when no server has run here.
  Result<ServerAddress> ReadAddress() const;
  // tls/ca.pem, ca-key.pem, server.pem, server-key.pem; made where they are missing or run out within a month.
  Status EnsureCertificates() const;

 private:
  std::string path_;
  Descriptor lock_;
};

// Like WriteFileAtomically, readable for the owner only.
Status WritePrivateFile(const std::string& path, const std::string& bytes);

}  // namespace headrace::apps
