// sagemaker.h: train and host models as with the SageMaker Python SDK, in C++, on Headrace's server or on AWS.
//
//   sagemaker::Session session;
//   const std::string data = sagemaker::S3Uploader::upload("data", "s3://" + session.default_bucket() + "/cifar10",
//   session); sagemaker::TensorFlow estimator({.entry_point = "keras_cifar10.cpp",
//                                    .source_dir = "source",
//                                    .role = sagemaker::get_execution_role(session),
//                                    .instance_type = "ml.m5.xlarge",
//                                    .hyperparameters = {{"epochs", 10}, {"batch-size", 256}}},
//                                   session);
//   estimator.fit({{"train", data + "/train"}, {"validation", data + "/validation"}, {"eval", data + "/eval"}});
//   sagemaker::Predictor predictor = estimator.deploy(1, "ml.m5.xlarge");
//   const sagemaker::Array scores = predictor.predict(sagemaker::TensorView(image));  // float32 [1, 32, 32, 3]
//   predictor.delete_endpoint();
//
// Names, defaults and behaviour are those of SDK v2. Everything here throws: ServiceError for what a service or the way
// to it says, Error for what is wrong with the arguments. examples/cifar10/workflow.cpp is the whole story.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "headrace/aws_clients.h"
#include "headrace/tensor.h"

namespace headrace::sagemaker {

// --- Session ---------------------------------------------------------------------------------------------------

struct SessionOptions {
  ClientOptions client{};
  std::string default_bucket{};  // "": sagemaker-REGION-ACCOUNT
};

// A handle: copies share everything. Making one reads nothing and connects to nobody.
class Session {
 public:
  explicit Session(SessionOptions options = {});

  std::string region() const;
  std::string account() const;         // of the credentials, as STS says
  std::string default_bucket() const;  // made at the first call where it is not there

  const Client& sagemaker() const;
  const Client& logs() const;
  const Client& cloudwatch() const;
  const Client& sts() const;
  const Client& iam() const;
  const Client& console() const;  // what only a server of Headrace has
  const S3Client& s3() const;
  const RuntimeClient& runtime() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// The ARN of the role that the session's credentials stand for: what a notebook instance's metadata say, else the role
// of the caller. kFailedPrecondition when that is no role.
std::string get_execution_role(const Session& session);

// "BASE-2026-01-02-03-04-05-678", at most 63 characters: a name that nobody has yet.
std::string name_from_base(const std::string& base);

struct S3Uploader {
  // A file, or all files below a directory, to below `s3_uri` ("s3://BUCKET/PREFIX"). Returns where it lies: for a
  // directory `s3_uri`, for a file s3_uri/NAME.
  static std::string upload(const std::string& local_path, const std::string& s3_uri, const Session& session,
                            const TransferOptions& transfer = {});
  static void upload_string_as_file_body(std::string_view body, const std::string& s3_uri, const Session& session);
};

struct S3Downloader {
  // An object, or all objects below a prefix, to below the directory `local_path`. Returns the files. A key that would
  // lead out of the directory is refused (kInvalidArgument).
  static std::vector<std::string> download(const std::string& s3_uri, const std::string& local_path,
                                           const Session& session, const TransferOptions& transfer = {});
  static std::vector<std::string> list(const std::string& s3_uri, const Session& session);  // URIs
  static std::string read_file(const std::string& s3_uri, const Session& session);
};

// --- Predictions -----------------------------------------------------------------------------------------------

// Row-major values that somebody else owns, to be sent: a Tensor's, or a span's with its dimensions. The number of
// values must be the dimensions' product (kInvalidArgument when it is sent). bfloat16 is refused.
class TensorView {
 public:
  explicit TensorView(const Tensor& tensor)
      : dtype_(tensor.dtype()), dims_(tensor.shape().dims()), data_(tensor.raw()), size_(tensor.size()) {}
  TensorView(std::span<const float> values, std::vector<int64_t> dims)
      : dtype_(DType::kFloat32),
        dims_(std::move(dims)),
        data_(values.data()),
        size_(static_cast<int64_t>(values.size())) {}
  TensorView(std::span<const uint8_t> values, std::vector<int64_t> dims)
      : dtype_(DType::kUInt8),
        dims_(std::move(dims)),
        data_(values.data()),
        size_(static_cast<int64_t>(values.size())) {}

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& dims() const { return dims_; }
  const void* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  DType dtype_;
  std::vector<int64_t> dims_;
  const void* data_;
  int64_t size_;
};

// Values of a reply, row-major.
struct Array {
  std::vector<int64_t> dims{};
  std::vector<float> values{};

  size_t rows() const { return dims.empty() ? 0 : static_cast<size_t>(dims[0]); }
  std::span<const float> row(size_t index) const {
    const size_t width = values.size() / rows();
    return std::span<const float>(values).subspan(index * width, width);
  }
};

// How predict() writes arrays: JSON as the SDK's default does, NumPy's format (a quarter of the bytes), CSV (a row a
// line).
enum class Serializer : uint8_t { kJson, kNpy, kCsv };

class Predictor {
 public:
  Predictor(std::string endpoint_name, Session session, Serializer serializer = Serializer::kJson);

  // The values under "predictions" or "outputs" of the reply, which must be one array of numbers (kDataLoss: something
  // else; ask with a body of your own then).
  Array predict(const TensorView& input) const;
  // A body as it is, and the reply's.
  std::string predict(std::string_view body, const std::string& content_type,
                      const std::string& accept = "application/json") const;

  const std::string& endpoint_name() const { return endpoint_name_; }
  struct UpdateOptions {
    int initial_instance_count = 0;  // 0: as it is
    std::string instance_type{};     // "": as it is
    std::string model_name{};        // "": as it is
    bool wait = true;
    std::chrono::milliseconds poll = std::chrono::seconds(1);
  };
  // A new configuration for the endpoint, which answers all the while.
  void update_endpoint(const UpdateOptions& options) const;
  void delete_endpoint(bool delete_endpoint_config = true) const;
  void delete_model() const;  // the models of the endpoint's configuration: call it before delete_endpoint()

 private:
  std::string endpoint_name_{};
  Session session_{};
  Serializer serializer_{};
};

// --- Training --------------------------------------------------------------------------------------------------

// A value that the training program gets as --name value. SageMaker passes values as JSON: a number or bool bare, text
// in quotes.
class Hyperparameter {
 public:
  template <typename T>
  requires std::is_arithmetic_v<T> Hyperparameter(T value) {
    if constexpr (std::is_same_v<T, bool>) {
      json_ = value ? "true" : "false";
    } else if constexpr (std::is_integral_v<T>) {
      json_ = std::to_string(value);
    } else {
      json_ = OfNumber(static_cast<double>(value));
    }
  }
  Hyperparameter(const char* text) : Hyperparameter(std::string(text)) {}
  Hyperparameter(const std::string& text);  // kInvalidArgument for text that is not UTF-8
  const std::string& json() const { return json_; }

 private:
  static std::string OfNumber(double value);
  std::string json_;
};
using Hyperparameters = std::map<std::string, Hyperparameter>;

struct MetricDefinition {
  std::string name{}, regex{};
};
struct Tag {
  std::string key{}, value{};
};

// What feeds a channel.
struct S3Input {
  std::string s3_data{};                         // "s3://BUCKET/PREFIX"
  std::string distribution = "FullyReplicated";  // or "ShardedByS3Key"
  std::string s3_data_type = "S3Prefix";         // or "ManifestFile", "AugmentedManifestFile"
  std::string content_type{}, compression{}, record_wrapping{};
  std::string input_mode{};  // of this channel, instead of the job's
  std::vector<std::string> attribute_names{};
  std::optional<int64_t> shuffle_seed{};
};
// Text is an S3 prefix.
class TrainingInput {
 public:
  TrainingInput(const char* s3_data) : input_{.s3_data = s3_data} {}
  TrainingInput(std::string s3_data) : input_{.s3_data = std::move(s3_data)} {}
  TrainingInput(S3Input input) : input_(std::move(input)) {}
  const S3Input& s3() const { return input_; }

 private:
  S3Input input_;
};
using Inputs = std::map<std::string, TrainingInput>;  // by channel

// Several processes of a job.
struct Distribution {
  struct Mpi {  // Horovod
    bool enabled = false;
    int processes_per_host = 1;
    std::string custom_mpi_options{};
  };
  struct ParameterServer {
    bool enabled = false;
  };
  Mpi mpi{};
  ParameterServer parameter_server{};
};

struct FitOptions {
  bool wait = true;        // until the job has ended; a job that fails throws (kFailedPrecondition) with the reason
  bool logs = true;        // print the log of every host meanwhile; else only the statuses
  std::string job_name{};  // "": base_job_name and the time
  std::chrono::milliseconds poll = std::chrono::seconds(1);
  // Gets the lines instead of the standard output. Colours, one a host, are for terminals.
  std::function<void(std::string_view)> print{};
  std::stop_token stop{};  // ends the waiting (ServiceError "Cancelled"), not the job
  // Ctrl-C at a terminal asks whether to stop the job, instead of ending the program (SIGINT is handled while fit()
  // waits).
  bool ask_on_interrupt = true;
};

// Values of a metric over time, as CloudWatch has them.
struct MetricSeries {
  std::string name{};
  struct Point {
    double timestamp;  // seconds since the job started
    double value;      // the mean of the period
  };
  std::vector<Point> points{};
};

struct TrainingJob {
  std::string name{}, arn{}, status{}, secondary_status{}, failure_reason{}, model_data{};
  int64_t training_seconds = 0, billable_seconds = 0;  // of one instance
  int instance_count = 1;
  std::map<std::string, double> final_metrics{};
};

struct EstimatorOptions {
  std::string entry_point{};                // a file in source_dir: .cpp, .py or any program
  std::string source_dir{};                 // a directory, or "s3://.../sourcedir.tar.gz"; "": the entry point alone
  std::vector<std::string> dependencies{};  // files and directories that go beside the source
  std::string role{};                       // an ARN
  int instance_count = 1;
  std::string instance_type{};
  std::string framework_version = "2.21.0", py_version = "py3";
  Hyperparameters hyperparameters{};
  std::vector<MetricDefinition> metric_definitions{};
  std::string input_mode = "File";  // or "Pipe", "FastFile"
  Distribution distribution{};
  std::optional<std::string> model_dir{};      // the program's --model_dir; not set: as the SDK; "": none
  std::string image_uri{};                     // "": of framework_version and py_version
  std::string output_path{}, code_location{};  // "s3://..."; "": the default bucket
  std::string base_job_name{};                 // "": the image's name
  std::vector<Tag> tags{};
  int volume_size = 30;        // GiB
  int max_run = 24 * 60 * 60;  // seconds
  bool use_spot_instances = false;
  int max_wait = 0;  // seconds, of spot instances
  std::string checkpoint_s3_uri{}, checkpoint_local_path{};
  std::map<std::string, std::string> environment{};
  bool enable_network_isolation = false;
  std::vector<std::string> subnets{}, security_group_ids{};
  std::string volume_kms_key{}, output_kms_key{};
  int container_log_level = 20;
  // The names of SDK v1. Each stands for its v2 name above; both at once are refused (kInvalidArgument).
  std::optional<int> train_instance_count{};
  std::string train_instance_type{};
  std::optional<int> train_volume_size{}, train_max_run{};
  std::optional<Distribution> distributions{};
  std::string image_name{};
};

struct DeployOptions {
  std::string endpoint_name{};  // "": base_job_name and the time
  bool wait = true;             // until it answers; an endpoint that fails throws (kFailedPrecondition) with the reason
  Serializer serializer = Serializer::kJson;
  std::map<std::string, std::string> environment{};  // of the container
  std::string instance_role{};                       // "": the estimator's
  std::chrono::milliseconds poll = std::chrono::seconds(1);
};

struct TransformerOptions {
  std::string model_name{};
  int instance_count = 1;
  std::string instance_type{};
  std::string strategy{};             // "MultiRecord" or "SingleRecord"; "": the service's default
  std::string assemble_with{};        // "Line" or "None"
  std::string accept{};               // the content type of what comes out
  std::string output_path{};          // "s3://..."; "": a prefix of the default bucket, named as the job
  int max_concurrent_transforms = 0;  // 0: the service's default
  int max_payload = -1;               // MiB; -1: the service's default, 0: no limit
  std::map<std::string, std::string> environment{};
  std::vector<Tag> tags{};
};
struct TransformOptions {
  std::string data_type = "S3Prefix";  // or "ManifestFile"
  std::string content_type{}, compression_type{}, split_type{};
  std::string input_filter{}, output_filter{}, join_source{};
  std::string job_name{};  // "": the model's name and the time
  bool wait = true;        // until the job has ended; a job that fails throws (kFailedPrecondition) with the reason
  bool logs = true;
  std::chrono::milliseconds poll = std::chrono::seconds(1);
  std::function<void(std::string_view)> print{};
  std::stop_token stop{};
};

// A model over the objects of a bucket.
class Transformer {
 public:
  explicit Transformer(TransformerOptions options, Session session = Session());

  void transform(const std::string& s3_data, const TransformOptions& options = {});
  void wait(const TransformOptions& options = {}) const;
  void stop() const;
  void delete_model() const;
  const std::string& latest_transform_job_name() const { return job_name_; }
  const std::string& output_path() const { return output_path_; }  // of the latest job

 private:
  TransformerOptions options_;
  Session session_;
  std::string job_name_, output_path_;
};

// The estimator of SageMaker's TensorFlow containers. Headrace runs C++ programs (.cpp entry points) under the same
// name.
class TensorFlow {
 public:
  // Checks the options (kInvalidArgument); connects to nobody.
  explicit TensorFlow(EstimatorOptions options, Session session = Session());
  // Goes on with a job that exists: waits for it and prints its log, then is its estimator.
  static TensorFlow attach(const std::string& training_job_name, Session session = Session(),
                           const FitOptions& options = {});

  void fit(const Inputs& inputs, const FitOptions& options = {});
  // Waits for the latest job, as fit() does.
  void wait(const FitOptions& options = {}) const;
  void stop() const;  // asks the latest job to stop

  // The latest job as the service describes it now. kFailedPrecondition before fit().
  TrainingJob latest_training_job() const;
  const std::string& latest_training_job_name() const;
  std::string model_data() const;  // the URI of its model.tar.gz
  // The series of the job's metrics, or of those named.
  std::vector<MetricSeries> training_job_analytics(const std::vector<std::string>& metric_names = {}) const;
  Predictor deploy(int initial_instance_count, const std::string& instance_type,
                   const DeployOptions& options = {}) const;
  // Makes a model of the latest job unless `options` name one.
  Transformer transformer(int instance_count, const std::string& instance_type, TransformerOptions options = {}) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace headrace::sagemaker
