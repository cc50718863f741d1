// aws_clients.h: clients of the AWS services that training and hosting need: SageMaker and its runtime, S3, CloudWatch,
// its logs, STS and IAM. They speak to Headrace's own server and to AWS alike; sagemaker.h builds on them.
//
//   sagemaker::Client sagemaker("sagemaker");
//   auto jobs = sagemaker.Call("ListTrainingJobs", R"({"MaxResults": 5})");
//   if (!jobs) std::fprintf(stderr, "%s (%s)\n", jobs.error().what(), jobs.error().service_code.c_str());
//
// Where requests go and who signs them is found as botocore (boto3, the AWS CLI) finds it, at the first call: variables
// (AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), ~/.aws/config and ~/.aws/credentials. See docs/sdk.md.
//
// Clients are handles: copies share connections, credentials and the quota of retries. They are thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "headrace/error.h"

namespace headrace::sagemaker {

// What went wrong with a call: the service's refusal, or what happened on the way.
class ServiceError : public Error {
 public:
  ServiceError(ErrorCode code, std::string message) : Error(code, std::move(message)) {}

  // The service's own word ("ValidationException", "NoSuchKey"). Of what no service said: "ConnectionError", "Timeout",
  // "Cancelled", "InvalidReply", "ChecksumMismatch", "NoCredentials", "Configuration", "File".
  std::string service_code;
  int status = 0;          // HTTP's; 0 when there was no answer
  std::string request_id;  // the service's; "" when there was no answer
  bool retryable = false;  // the same call may succeed later
  int attempts = 1;        // how often it was tried
};

// A value, or why there is none. value() throws the error.
template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}
  Outcome(ServiceError error) : state_(std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & {
    if (!ok()) throw error();
    return std::get<0>(state_);
  }
  const T& value() const& {
    if (!ok()) throw error();
    return std::get<0>(state_);
  }
  T value() && {  // by value: a loop over it may outlive the outcome
    if (!ok()) throw error();
    return std::move(std::get<0>(state_));
  }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const ServiceError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, ServiceError> state_;
};

template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  Outcome(ServiceError error) : error_(std::move(error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const {
    if (error_) throw *error_;
  }
  const ServiceError& error() const { return *error_; }

 private:
  std::optional<ServiceError> error_;
};

// --- Options ---------------------------------------------------------------------------------------------------

struct Credentials {
  std::string access_key_id{}, secret_access_key{}, session_token{};
};

// What a client, or all clients of a Session, have in common. What is left out comes from variables and files.
struct ClientOptions {
  std::string profile{};       // of the files; else AWS_PROFILE, else "default"
  std::string region{};        // else AWS_DEFAULT_REGION, the profile's region, AWS_REGION
  std::string endpoint_url{};  // of every service
  std::optional<Credentials> credentials{};
  std::string ca_bundle{};               // a PEM file; else AWS_CA_BUNDLE, the profile's ca_bundle, the system's
  int max_attempts = 0;                  // of a call; 0: AWS_MAX_ATTEMPTS, the profile's max_attempts, 3
  std::chrono::milliseconds timeout{0};  // of a call with all its attempts; 0: none
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);  // of an attempt in which no byte moves
  std::stop_token stop{};                                             // ends calls with "Cancelled"
  // Keys that a profile, a process, a role or a machine holds for AWS are not sent to an endpoint that is neither AWS's
  // nor this machine's, unless the endpoint stands in that profile or this says so.
  bool ambient_credentials_anywhere = false;
};

// Of one call. What is left out is the client's.
struct CallOptions {
  std::chrono::milliseconds timeout{0};
  int max_attempts = 0;
  std::stop_token stop{};
};

class Configuration;  // what the clients of one ClientOptions share

// --- Services --------------------------------------------------------------------------------------------------

// "sagemaker", "logs", "cloudwatch", "sts" or "iam", and "headrace", what only a server of Headrace has: services whose
// operations take and return documents.
class Client {
 public:
  // kInvalidArgument for another name. Reads nothing and connects to nobody.
  explicit Client(std::string_view service, const ClientOptions& options = {});
  Client(std::string_view service, std::shared_ptr<Configuration> configuration);

  // Input and output are JSON objects in the service's own member names ("" stands for {}), whatever the protocol.
  Outcome<std::string> Call(std::string_view operation, std::string_view input, const CallOptions& options = {}) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

struct InvokeEndpointRequest {
  std::string endpoint_name{};
  std::string_view body{};
  std::string content_type = "application/json";
  std::string accept = "application/json";
  std::string custom_attributes{}, target_variant{};  // "": none
};
struct InvokeEndpointReply {
  std::string body{}, content_type{}, invoked_production_variant{};
};

class RuntimeClient {
 public:
  explicit RuntimeClient(const ClientOptions& options = {});
  explicit RuntimeClient(std::shared_ptr<Configuration> configuration);
  Outcome<InvokeEndpointReply> InvokeEndpoint(const InvokeEndpointRequest& request,
                                              const CallOptions& options = {}) const;

 private:
  std::shared_ptr<Configuration> configuration_;
};

// --- S3 --------------------------------------------------------------------------------------------------------

struct S3Object {
  std::string key{}, etag{};
  uint64_t bytes = 0;
};

struct PutObjectRequest {
  std::string bucket{}, key{};
  std::string_view body{};
  std::string content_type{};
};
struct GetObjectRequest {
  std::string bucket{}, key{};
  size_t max_bytes = size_t{64} << 20;  // a larger object is refused
};
// How files travel: a file above `part_bytes` in parts, `parallel` of them at a time.
struct TransferOptions {
  uint64_t part_bytes = uint64_t{8} << 20;
  int parallel = 4;
  // Called from one thread at a time with the bytes that have arrived of all there are.
  std::function<void(uint64_t done, uint64_t total)> progress{};
};

class S3Client {
 public:
  explicit S3Client(const ClientOptions& options = {});
  explicit S3Client(std::shared_ptr<Configuration> configuration);

  Outcome<void> CreateBucket(const std::string& bucket, const CallOptions& options = {}) const;
  // `owner`: the account that the bucket must belong to (403 otherwise); "": any.
  Outcome<void> HeadBucket(const std::string& bucket, const std::string& owner = {},
                           const CallOptions& options = {}) const;
  Outcome<S3Object> HeadObject(const std::string& bucket, const std::string& key,
                               const CallOptions& options = {}) const;
  // Objects travel with CRC32 checksums, and are verified where S3 has a checksum of the whole.
  Outcome<void> PutObject(const PutObjectRequest& request, const CallOptions& options = {}) const;
  Outcome<std::string> GetObject(const GetObjectRequest& request, const CallOptions& options = {}) const;
  // All objects whose key begins with `prefix`, in key order.
  Outcome<std::vector<S3Object>> ListObjects(const std::string& bucket, const std::string& prefix,
                                             const CallOptions& options = {}) const;
  // A regular file to an object. Nothing is left on S3 when a part fails.
  Outcome<void> UploadFile(const std::string& path, const std::string& bucket, const std::string& key,
                           const TransferOptions& transfer = {}, const CallOptions& options = {}) const;
  // An object to a file, which appears under its name when it is whole.
  Outcome<void> DownloadFile(const std::string& bucket, const std::string& key, const std::string& path,
                             const TransferOptions& transfer = {}, const CallOptions& options = {}) const;

 private:
  std::shared_ptr<Configuration> configuration_;
};

}  // namespace headrace::sagemaker
