// The TensorFlow estimator: fit, attach, and what the job left.
#include <cstdio>
#include <filesystem>

#include <unistd.h>

#include "sagemaker/estimator/endpoint.h"
#include "sagemaker/estimator/image_uri.h"
#include "sagemaker/estimator/interrupts.h"
#include "sagemaker/estimator/job_watch.h"
#include "sagemaker/estimator/printing.h"
#include "sagemaker/estimator/s3_uri.h"
#include "sagemaker/estimator/source_package.h"
#include "sagemaker/estimator/training_request.h"
#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {
namespace {

// A file with a name of its own below the system's directory for such; gone with the object.
class TemporaryFile {
 public:
  TemporaryFile() : path_((std::filesystem::temp_directory_path() / "headrace-source-XXXXXX").string()) {
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor < 0) throw Error(ErrorCode::kFailedPrecondition, path_ + ": cannot create");
    ::close(descriptor);
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TrainingJob JobOf(const Json& described) {
  TrainingJob job;
  job.name = TextMember(described, "TrainingJobName");
  job.arn = TextMember(described, "TrainingJobArn");
  job.status = TextMember(described, "TrainingJobStatus");
  job.secondary_status = TextMember(described, "SecondaryStatus");
  job.failure_reason = TextMember(described, "FailureReason");
  job.model_data = TextMember(ObjectMember(described, "ModelArtifacts"), "S3ModelArtifacts");
  job.training_seconds = static_cast<int64_t>(NumberMember(described, "TrainingTimeInSeconds"));
  job.billable_seconds = static_cast<int64_t>(NumberMember(described, "BillableTimeInSeconds"));
  job.instance_count = static_cast<int>(NumberMember(ObjectMember(described, "ResourceConfig"), "InstanceCount", 1));
  for (const Json& metric : ListMember(described, "FinalMetricDataList"))
    job.final_metrics[TextMember(metric, "MetricName")] = NumberMember(metric, "Value");
  return job;
}

// What an estimator of an existing job has for options.
EstimatorOptions OptionsOf(const Json& described) {
  const Json& parameters = ObjectMember(described, "HyperParameters");
  const auto unquoted = [&](const char* name) {
    const Json value = Json::parse(TextMember(parameters, name), nullptr, false);
    return value.is_string() ? value.get<std::string>() : "";
  };
  const Json& resources = ObjectMember(described, "ResourceConfig");
  EstimatorOptions options;
  options.entry_point = unquoted("sagemaker_program");
  options.source_dir = unquoted("sagemaker_submit_directory");
  options.role = TextMember(described, "RoleArn");
  options.instance_type = TextMember(resources, "InstanceType");
  options.instance_count = static_cast<int>(NumberMember(resources, "InstanceCount", 1));
  options.image_uri = TextMember(ObjectMember(described, "AlgorithmSpecification"), "TrainingImage");
  options.framework_version = VersionOfImage(options.image_uri);
  options.base_job_name = BaseFromName(TextMember(described, "TrainingJobName"));
  return options;
}

void CreateJob(const Session& session, const Json& request, const std::stop_token& stop) {
  try {
    CallWith(session.sagemaker(), "CreateTrainingJob", request, stop);
  } catch (const ServiceError& error) {
    // An attempt whose answer got lost has made it: the name has a time in it and is nobody else's.
    if (error.service_code != "ResourceInUse" || error.attempts == 1) throw;
  }
}

}  // namespace

struct TensorFlow::Impl {
  EstimatorOptions options;
  Session session;
  std::string job_name;

  std::string Image() const {
    if (!options.image_uri.empty()) return options.image_uri;
    return TrainingImage(session.region(), options.framework_version, options.py_version, options.instance_type);
  }

  std::string BaseName() const {
    return options.base_job_name.empty() ? RepositoryOfImage(Image()) : options.base_job_name;
  }

  // Where the packed source lies.
  std::string UploadSource(const std::string& job) const {
    if (options.source_dir.starts_with("s3://")) return options.source_dir;
    const TemporaryFile archive;
    PackSource(options.entry_point, options.source_dir, options.dependencies, archive.path());
    const S3Uri place =
        options.code_location.empty() ? S3Uri{session.default_bucket(), ""} : ParseS3Uri(options.code_location);
    const std::string key = JoinKey(place.key, job + "/source/sourcedir.tar.gz");
    session.s3().UploadFile(archive.path(), place.bucket, key).value();
    return "s3://" + place.bucket + "/" + key;
  }

  // The latest job's model, behind an instance of that type.
  Hosting HostingOn(const std::string& instance_type) const {
    return {.base_name = BaseName(),
            .model_data = JobOf(Describe()).model_data,
            .image_uri = ServingImage(session.region(), options.framework_version, instance_type),
            .role = options.role,
            .instance_count = 1,
            .instance_type = instance_type,
            .tags = options.tags};
  }

  const std::string& Job() const {
    if (job_name.empty())
      throw Error(ErrorCode::kFailedPrecondition, "the estimator has no training job yet: call fit() first");
    return job_name;
  }

  Json Describe() const { return CallWith(session.sagemaker(), "DescribeTrainingJob", {{"TrainingJobName", Job()}}); }

  void Wait(const FitOptions& fit) const {
    JobWatch watch({Job(), fit.logs, HasColours(fit.print), PrinterOf(fit.print)}, AskOf(session, fit.stop));
    InterruptGuard interrupts(fit.ask_on_interrupt && ::isatty(STDIN_FILENO) == 1);
    while (watch.Step()) {
      if (interrupts.WaitFor(fit.poll, fit.stop)) AskWhetherToStop();
    }
    if (TextMember(watch.job(), "TrainingJobStatus") == "Failed")
      throw Error(ErrorCode::kFailedPrecondition,
                  "training job " + job_name + " failed: " + TextMember(watch.job(), "FailureReason"));
  }

  void Stop() const { CallWith(session.sagemaker(), "StopTrainingJob", {{"TrainingJobName", Job()}}); }

  // After Ctrl-C. Returns when the watching goes on.
  void AskWhetherToStop() const {
    std::printf(
        "\nStop training job %s? y: stop it; n: leave it running and end here; anything else: go on watching\n> ",
        job_name.c_str());
    std::fflush(stdout);
    char answer[16] = "n";  // a second Ctrl-C
    if (std::fgets(answer, sizeof answer, stdin) == nullptr) answer[0] = 'n';
    if (answer[0] == 'y') Stop();
    if (answer[0] == 'n')
      throw LocalError(ErrorCode::kUnavailable, "Cancelled",
                       "training job " + job_name + " goes on; attach() watches it again");
  }
};

TensorFlow::TensorFlow(EstimatorOptions options, Session session)
    : impl_(std::make_shared<Impl>(Impl{CheckedOptions(std::move(options)), std::move(session), {}})) {}

TensorFlow TensorFlow::attach(const std::string& training_job_name, Session session, const FitOptions& options) {
  const Json described = CallWith(session.sagemaker(), "DescribeTrainingJob", {{"TrainingJobName", training_job_name}});
  TensorFlow estimator(OptionsOf(described), std::move(session));
  estimator.impl_->job_name = training_job_name;
  if (options.wait) estimator.wait(options);
  return estimator;
}

void TensorFlow::fit(const Inputs& inputs, const FitOptions& options) {
  const Session& session = impl_->session;
  const std::string job = options.job_name.empty() ? name_from_base(impl_->BaseName()) : options.job_name;
  const JobPlace place{job, session.region(), impl_->Image(),
                       impl_->options.output_path.empty() ? session.default_bucket() : "", impl_->UploadSource(job)};
  CreateJob(session, TrainingRequest(impl_->options, inputs, place), options.stop);
  impl_->job_name = job;
  if (options.wait) impl_->Wait(options);
}

void TensorFlow::wait(const FitOptions& options) const { impl_->Wait(options); }

void TensorFlow::stop() const { impl_->Stop(); }

TrainingJob TensorFlow::latest_training_job() const { return JobOf(impl_->Describe()); }
const std::string& TensorFlow::latest_training_job_name() const { return impl_->Job(); }
std::string TensorFlow::model_data() const { return latest_training_job().model_data; }

std::vector<MetricSeries> TensorFlow::training_job_analytics(const std::vector<std::string>& metric_names) const {
  return JobMetrics(impl_->session, impl_->Describe(), metric_names);
}

Predictor TensorFlow::deploy(int initial_instance_count, const std::string& instance_type,
                             const DeployOptions& options) const {
  Hosting hosting = impl_->HostingOn(instance_type);
  hosting.instance_count = initial_instance_count;
  if (!options.instance_role.empty()) hosting.role = options.instance_role;
  return Deploy(impl_->session, hosting, options);
}

Transformer TensorFlow::transformer(int instance_count, const std::string& instance_type,
                                    TransformerOptions options) const {
  if (options.model_name.empty()) {
    options.model_name = name_from_base(impl_->BaseName());
    CreateModel(impl_->session, options.model_name, impl_->HostingOn(instance_type), {});
  }
  options.instance_count = instance_count;
  options.instance_type = instance_type;
  if (options.tags.empty()) options.tags = impl_->options.tags;
  return Transformer(std::move(options), impl_->session);
}

}  // namespace headrace::sagemaker
