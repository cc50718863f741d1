#include "jobs/training/host_descriptions.h"

#include <cerrno>
#include <filesystem>

#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/directory/shared_memory.h"
#include "jobs/inputs/input_channels.h"
#include "jobs/inputs/input_objects.h"
#include "jobs/request/s3_uri.h"
#include "jobs/training/training_service.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<std::vector<JobDescription>> HostDescriptions::Make(const store::TrainingJob& job,
                                                           const IngestState& state) const {
  HEADRACE_TRY(MakeDirectories(directory_.inputs()));
  HEADRACE_ASSIGN(const auto common, Describe(job, state));
  std::vector<JobDescription> descriptions;
  for (const auto& host : state.hosts) {
    JobDescription description = common;
    description.current_host = host.name;
    HEADRACE_TRY(DescribeChannels(description));
    descriptions.push_back(std::move(description));
  }
  return descriptions;
}

// All but what differs from host to host.
Result<JobDescription> HostDescriptions::Describe(const store::TrainingJob& job, const IngestState& state) const {
  JobDescription description;
  description.job_name = job.name;
  description.job_arn = job.arn;
  description.region = options_.region;
  description.attempt = state.attempt;
  description.request = request_;
  description.hosts = request_.hosts();
  description.deadline = state.deadline;
  if (state.hosts.size() > 1) description.shared_memory = SharedMemoryOf(directory_);
  HEADRACE_TRY(DescribeInputs(description));
  HEADRACE_ASSIGN(const auto output, ParseS3Uri(request_.output.s3_output_path));
  HEADRACE_TRY(objects_.Check(output.bucket, OutputPrefix(output, job.name), "s3:PutObject"));
  if (options_.environment) {
    HEADRACE_ASSIGN(description.environment, options_.environment(job));
  }
  description.stop_grace_seconds = options_.stop_grace_seconds;
  description.resource_sample_millis = options_.resource_sample_millis;
  description.heartbeat_millis = options_.heartbeat_seconds * int64_t{1000};
  return description;
}

Status HostDescriptions::DescribeInputs(JobDescription& description) const {
  const auto source = request_.hyperparameters.Text("sagemaker_submit_directory");
  if (IsUri(source)) {
    auto object = FindInput(objects_, source);
    if (!object) return Fail(object.error().code(), "sagemaker_submit_directory: {}", object.error().message());
    description.source = JobDescription::Source{object->blob, source};
    HEADRACE_TRY(Keep(description.source->blob, source));
  }
  if (const auto& config = request_.checkpoints) {
    auto uri = config->s3_uri;
    if (!uri.ends_with('/')) uri += '/';
    auto objects = ListPrefix(objects_, uri);
    if (!objects) return Fail(objects.error().code(), "CheckpointConfig.S3Uri: {}", objects.error().message());
    description.checkpoints = JobDescription::Checkpoints{config->local_path, std::move(*objects)};
    for (auto& object : description.checkpoints->objects) HEADRACE_TRY(Keep(object.blob, object.key));
  }
  return {};
}

Status HostDescriptions::DescribeChannels(JobDescription& description) const {
  HEADRACE_ASSIGN(description.channels, ResolveChannels(objects_, request_, description.current_host));
  for (auto& channel : description.channels) {
    for (auto& object : channel.objects) HEADRACE_TRY(Keep(object.blob, object.key));
    if (channel.manifest) HEADRACE_TRY(Keep(channel.manifest->blob, channel.manifest->key));
  }
  return {};
}

// Objects that are replaced or deleted while the job runs: it keeps those it was created with, under names of its own.
Status HostDescriptions::Keep(std::string& blob, const std::string& key) const {
  if (blob.empty()) return {};
  auto link = directory_.inputs() + "/" + fs::path(blob).filename().string();
  if (::link(blob.c_str(), link.c_str()) == 0 || errno == EEXIST) {
    blob = std::move(link);
  } else if (errno == ENOENT) {
    return Fail(ErrorCode::kNotFound, "the object {} was deleted or replaced while the job was prepared", key);
  }  // else this file system has no such links, and the blob is read where it is
  return {};
}

}  // namespace headrace::jobs
