#include "jobs/training/host_descriptions.h"

#include "base/file.h"
#include "jobs/directory/shared_memory.h"
#include "jobs/inputs/input_channels.h"
#include "jobs/inputs/input_objects.h"
#include "jobs/inputs/s3_uri.h"
#include "jobs/training/kept_inputs.h"
#include "jobs/training/training_service.h"

namespace headrace::jobs {

Result<std::vector<JobDescription>> HostDescriptions::Make(const store::TrainingJob& job,
                                                           const IngestState& state) const {
  HEADRACE_ASSIGN(const auto inputs, KeepInputs(objects_, directory_, request_));
  HEADRACE_ASSIGN(auto common, Describe(job, state));
  common.source = inputs.source;
  std::vector<JobDescription> descriptions;
  for (const auto& host : state.hosts) {
    JobDescription description = common;
    description.current_host = host.name;
    description.channels = ChannelsOf(host.name, inputs.channels, request_);
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
  HEADRACE_TRY(DescribeCheckpoints(description));
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

Status HostDescriptions::DescribeCheckpoints(JobDescription& description) const {
  const auto& config = request_.checkpoints;
  if (!config) return {};
  auto uri = config->s3_uri;
  if (!uri.ends_with('/')) uri += '/';
  auto objects = ListPrefix(objects_, uri);
  if (!objects) return Fail(objects.error().code(), "CheckpointConfig.S3Uri: {}", objects.error().message());
  description.checkpoints = JobDescription::Checkpoints{config->local_path, std::move(*objects)};
  HEADRACE_TRY(MakeDirectories(directory_.inputs()));
  for (auto& object : description.checkpoints->objects) HEADRACE_TRY(KeepBlob(directory_, object.blob, object.key));
  return {};
}

}  // namespace headrace::jobs
