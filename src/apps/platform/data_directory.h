// DataDirectory: where one `headrace serve` keeps everything. What lies where:
//
//   lock         held by the server that runs here
//   keys         the first key pair (JSON, 0600)
//   server.json  where the server that runs here listens: what `headrace env` reads. It is there while requests are
//                answered: a start removes the last one's, and writes its own when everything serves.
//   meta.db      SQLite; objects/, jobs/, cache/
//   tls/         our own authority and server certificate; bundle.pem: the system's authorities and ours
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
  std::string client_files{};  // where clients' files lie (client_files.h); empty: in the data directory
};

// Below the data directory: what the SageMaker SDKs are to be configured with. Beside AWS_DATA_PATH's files, which
// jobs can see.
inline constexpr const char* kSageMakerConfigName = "aws/sagemaker-sdk.yaml";
inline constexpr const char* kBundleName = "tls/bundle.pem";

struct KeyPair {
  std::string access_key_id, secret_access_key;
};

class DataDirectory {
 public:
  explicit DataDirectory(const std::string& path);  // made absolute

  // Makes it, for its owner only (0700).
  Status Make() const;
  // Makes it and what is in it. kFailedPrecondition when another server runs here.
  Status Claim();
  // Whether a server has claimed it, another process's included.
  bool Claimed() const;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  Status WriteKeys(const KeyPair& keys) const;
  Result<KeyPair> ReadKeys() const;
  Status WriteAddress(const ServerAddress& address) const;
  // kNotFound when no server has begun to serve here.
  Result<ServerAddress> ReadAddress() const;
  // tls/ca.pem, ca-key.pem, server.pem, server-key.pem; made where they are missing or run out within a month.
  Status EnsureCertificates() const;
  // tls/bundle.pem, of the system's authorities as they are now and ours.
  Status EnsureBundle() const;

 private:
  std::string path_;
  Descriptor lock_;
};

// WriteFileAtomically, unless the file says that already: a start on a full disk then writes nothing.
Status WriteIfChanged(const std::string& path, const std::string& bytes);
// Like WriteFileAtomically, readable for the owner only.
Status WritePrivateFile(const std::string& path, const std::string& bytes);

}  // namespace headrace::apps
