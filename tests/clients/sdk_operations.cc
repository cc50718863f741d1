// Every typed request of headrace/operations that can be made without a model, against the server of the environment.
// Ends with 0 when all replies say what they have to; the first that does not is named. usage: sdk_operations BUCKET
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "headrace/operations/cloudwatch.h"
#include "headrace/operations/iam.h"
#include "headrace/operations/logs.h"
#include "headrace/operations/sagemaker.h"
#include "headrace/operations/sts.h"

using namespace headrace::operations;

namespace {

const Session& TheSession() {
  static const Session session;
  return session;
}

template <typename Request>
typename Request::Reply Ask(const Request& request) {
  return Send(TheSession(), request).value();
}

// The service's word for why it refuses.
template <typename Request>
std::string Refusal(const Request& request) {
  const auto reply = Send(TheSession(), request);
  return reply ? "nothing" : reply.error().service_code;
}

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "sdk_operations: %s\n", what);
  std::exit(1);
}
#define CHECK(condition) Check(condition, #condition)

constexpr const char* kTrust =
    R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole"}]})";

void TryIdentities() {
  const auto caller = Ask(sts::GetCallerIdentityRequest{});
  CHECK(caller.account.size() == 12);
  Ask(iam::CreateRoleRequest{.role_name = "typed", .assume_role_policy_document = kTrust});
  const auto role = Ask(iam::GetRoleRequest{.role_name = "typed"}).role;
  CHECK(role && role->arn == "arn:aws:iam::" + caller.account + ":role/typed");
  CHECK(role->create_date > Timestamp() + std::chrono::hours(24 * 365 * 50));
  const std::string policy = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
  Ask(iam::AttachRolePolicyRequest{.role_name = "typed", .policy_arn = policy});
  const auto attached = Ask(iam::ListAttachedRolePoliciesRequest{.role_name = "typed"});
  CHECK(attached.attached_policies.size() == 1 && attached.attached_policies[0].policy_arn == policy);
  CHECK(attached.is_truncated == false);
  const auto simulated = Ask(iam::SimulatePrincipalPolicyRequest{.policy_source_arn = role->arn,
                                                                 .action_names = {"s3:GetObject", "s3:PutObject"}});
  CHECK(simulated.evaluation_results.size() == 2 && simulated.evaluation_results[0].eval_decision == "allowed");
  const auto session =
      Ask(sts::AssumeRoleRequest{.role_arn = role->arn, .role_session_name = "typed", .duration_seconds = 900});
  CHECK(session.credentials && session.credentials->expiration > std::chrono::system_clock::now());
  CHECK(Ask(sts::GetSessionTokenRequest{}).credentials.has_value());
  Ask(iam::DetachRolePolicyRequest{.role_name = "typed", .policy_arn = policy});
  CHECK(!Ask(iam::ListRolesRequest{}).roles.empty());
  Ask(iam::DeleteRoleRequest{.role_name = "typed"});
  CHECK(Refusal(iam::GetRoleRequest{.role_name = "typed"}) == "NoSuchEntity");
}

void TryLogs() {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  Ask(logs::CreateLogGroupRequest{.log_group_name = "/typed", .tags = {{"a", "b"}}});
  Ask(logs::PutRetentionPolicyRequest{.log_group_name = "/typed", .retention_in_days = 30});
  const auto groups = Ask(logs::DescribeLogGroupsRequest{.log_group_name_prefix = "/typed"}).log_groups;
  CHECK(groups.size() == 1 && groups[0].retention_in_days == 30);
  Ask(logs::DeleteRetentionPolicyRequest{.log_group_name = "/typed"});
  Ask(logs::TagLogGroupRequest{.log_group_name = "/typed", .tags = {{"c", "d"}}});
  Ask(logs::UntagLogGroupRequest{.log_group_name = "/typed", .tags = {"a"}});
  CHECK((Ask(logs::ListTagsLogGroupRequest{.log_group_name = "/typed"}).tags ==
         std::map<std::string, std::string>{{"c", "d"}}));
  const std::string arn = groups[0].log_group_arn;
  Ask(logs::TagResourceRequest{.resource_arn = arn, .tags = {{"e", "f"}}});
  Ask(logs::UntagResourceRequest{.resource_arn = arn, .tag_keys = {"c"}});
  CHECK((Ask(logs::ListTagsForResourceRequest{.resource_arn = arn}).tags ==
         std::map<std::string, std::string>{{"e", "f"}}));
  Ask(logs::CreateLogStreamRequest{.log_group_name = "/typed", .log_stream_name = "s"});
  Ask(logs::PutLogEventsRequest{
      .log_group_name = "/typed",
      .log_stream_name = "s",
      .log_events = {{.timestamp = now, .message = "one"}, {.timestamp = now + 1, .message = "two"}}});
  const auto read =
      Ask(logs::GetLogEventsRequest{.log_group_name = "/typed", .log_stream_name = "s", .start_from_head = true});
  CHECK(read.events.size() == 2 && read.events[1].message == "two" && read.events[0].timestamp == now);
  const auto found = Ask(logs::FilterLogEventsRequest{.log_group_name = "/typed", .filter_pattern = "two"});
  CHECK(found.events.size() == 1 && found.events[0].log_stream_name == "s");
  CHECK(Ask(logs::DescribeLogStreamsRequest{.log_group_name = "/typed"}).log_streams.size() == 1);
  Ask(logs::DeleteLogStreamRequest{.log_group_name = "/typed", .log_stream_name = "s"});
  Ask(logs::DeleteLogGroupRequest{.log_group_name = "/typed"});
  CHECK(Refusal(logs::DeleteLogGroupRequest{.log_group_name = "/typed"}) == "ResourceNotFoundException");
}

void TryMetrics() {
  const Timestamp now = std::chrono::system_clock::now();
  const std::vector<cloudwatch::Dimension> dimensions{{.name = "Host", .value = "h"}};
  Ask(cloudwatch::PutMetricDataRequest{
      .namespace_ = "Typed",
      .metric_data = {{.metric_name = "m", .dimensions = dimensions, .timestamp = now, .value = 1.5},
                      {.metric_name = "m", .dimensions = dimensions, .timestamp = now, .value = 2.5}}});
  CHECK(Ask(cloudwatch::ListMetricsRequest{.namespace_ = "Typed"}).metrics.size() == 1);
  const Timestamp from = now - std::chrono::minutes(5), to = now + std::chrono::minutes(5);
  const auto statistics = Ask(cloudwatch::GetMetricStatisticsRequest{.namespace_ = "Typed",
                                                                     .metric_name = "m",
                                                                     .dimensions = dimensions,
                                                                     .start_time = from,
                                                                     .end_time = to,
                                                                     .period = 60,
                                                                     .statistics = {"Sum", "Maximum"}});
  CHECK(statistics.datapoints.size() == 1 && statistics.datapoints[0].sum == 4.0 &&
        statistics.datapoints[0].maximum == 2.5);
  const cloudwatch::MetricStat stat{
      .metric = cloudwatch::Metric{.namespace_ = "Typed", .metric_name = "m", .dimensions = dimensions},
      .period = 60,
      .stat = "Average"};
  const auto data = Ask(cloudwatch::GetMetricDataRequest{
      .metric_data_queries = {{.id = "q", .metric_stat = stat}}, .start_time = from, .end_time = to});
  CHECK(data.metric_data_results.size() == 1 && data.metric_data_results[0].values == std::vector<double>{2.0});
  CHECK(data.metric_data_results[0].timestamps.size() == 1 && data.metric_data_results[0].timestamps[0] > from);
}

void TryModels(const std::string& role, const std::string& bucket) {
  TheSession()
      .s3()
      .PutObject({.bucket = bucket, .key = "model.tar.gz", .body = "looked into when it is hosted"})
      .value();
  const sagemaker::ContainerDefinition container{
      .image = "520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-tensorflow-serving:1.12-cpu",
      .model_data_url = "s3://" + bucket + "/model.tar.gz",
      .environment = {{"SAGEMAKER_TFS_NUM_BATCH_THREADS", "1"}}};
  const auto made = Ask(sagemaker::CreateModelRequest{.model_name = "typed",
                                                      .primary_container = container,
                                                      .execution_role_arn = role,
                                                      .tags = {{.key = "a", .value = "b"}}});
  const auto model = Ask(sagemaker::DescribeModelRequest{.model_name = "typed"});
  CHECK(model.primary_container && model.primary_container->environment == container.environment);
  Ask(sagemaker::AddTagsRequest{.resource_arn = made.model_arn, .tags = {{.key = "c", .value = "d"}}});
  Ask(sagemaker::DeleteTagsRequest{.resource_arn = made.model_arn, .tag_keys = {"a"}});
  const auto tags = Ask(sagemaker::ListTagsRequest{.resource_arn = made.model_arn}).tags;
  CHECK(tags.size() == 1 && tags[0].key == "c");
  CHECK(Ask(sagemaker::ListModelsRequest{.name_contains = "typed"}).models.size() == 1);
  Ask(sagemaker::CreateEndpointConfigRequest{
      .endpoint_config_name = "typed",
      .production_variants = {
          {.variant_name = "v", .model_name = "typed", .initial_instance_count = 1, .instance_type = "ml.m5.large"}}});
  const auto config = Ask(sagemaker::DescribeEndpointConfigRequest{.endpoint_config_name = "typed"});
  CHECK(config.production_variants.size() == 1 && config.production_variants[0].initial_instance_count == 1);
  CHECK(Ask(sagemaker::ListEndpointConfigsRequest{.name_contains = "typed"}).endpoint_configs.size() == 1);
  CHECK(Refusal(sagemaker::CreateEndpointRequest{.endpoint_name = "typed", .endpoint_config_name = "none"}) ==
        "ValidationException");
  for (const std::string& refusal :
       {Refusal(sagemaker::DescribeEndpointRequest{.endpoint_name = "none"}),
        Refusal(sagemaker::UpdateEndpointRequest{.endpoint_name = "none", .endpoint_config_name = "typed"}),
        Refusal(sagemaker::UpdateEndpointWeightsAndCapacitiesRequest{.endpoint_name = "none",
        .desired_weights_and_capacities = {{.variant_name = "v", .desired_weight = 1}}}),
        Refusal(sagemaker::DeleteEndpointRequest{.endpoint_name = "none"}),
        Refusal(sagemaker::StopTransformJobRequest{.transform_job_name = "none"})})
    CHECK(refusal == "ValidationException" || refusal == "ResourceNotFound");
  CHECK(Ask(sagemaker::ListEndpointsRequest{.name_contains = "typed"}).endpoints.empty());
  CHECK(Ask(sagemaker::ListTransformJobsRequest{.name_contains = "typed"}).transform_job_summaries.empty());
  Ask(sagemaker::DeleteEndpointConfigRequest{.endpoint_config_name = "typed"});
  Ask(sagemaker::DeleteModelRequest{.model_name = "typed"});
}

void TryJobs(const std::string& role, const std::string& bucket) {
  const sagemaker::CreateTrainingJobRequest request{
      .training_job_name = "typed",
      .hyper_parameters = {{"epochs", "2"}},
      .algorithm_specification =
          sagemaker::AlgorithmSpecification{.training_image = "headrace",
                                            .training_input_mode = "File",
                                            .metric_definitions = {{.name = "m", .regex = "m: ([0-9.]+)"}},
                                            .container_entrypoint = {"/bin/echo", "m: 0.5"}},
      .role_arn = role,
      .output_data_config = sagemaker::OutputDataConfig{.s3_output_path = "s3://" + bucket + "/out"},
      .resource_config =
          sagemaker::ResourceConfig{.instance_type = "ml.m5.large", .instance_count = 1, .volume_size_in_gb = 1},
      .stopping_condition = sagemaker::StoppingCondition{.max_runtime_in_seconds = 600}};
  CHECK(Ask(request).training_job_arn.ends_with(":training-job/typed"));
  CHECK(Refusal(request) == "ResourceInUse");
  sagemaker::DescribeTrainingJobReply job;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    job = Ask(sagemaker::DescribeTrainingJobRequest{.training_job_name = "typed"});
  } while (job.training_job_status == "InProgress");
  CHECK(job.training_job_status == "Completed" && job.hyper_parameters == request.hyper_parameters);
  CHECK(job.creation_time && job.training_end_time >= job.creation_time);
  CHECK(job.final_metric_data_list.size() == 1 && job.final_metric_data_list[0].value == 0.5);
  CHECK(job.secondary_status_transitions.back().status == "Completed");
  const auto listed = Ask(sagemaker::ListTrainingJobsRequest{.max_results = 1, .name_contains = "typed"});
  CHECK(listed.training_job_summaries.size() == 1 &&
        listed.training_job_summaries[0].training_job_arn == job.training_job_arn);
  CHECK(Refusal(sagemaker::StopTrainingJobRequest{.training_job_name = "typed"}) == "ValidationException");
  CHECK(Refusal(sagemaker::UpdateTrainingJobRequest{.training_job_name = "none"}) != "nothing");
  Ask(sagemaker::DeleteTrainingJobRequest{.training_job_name = "typed"});
  CHECK(Refusal(sagemaker::DescribeTransformJobRequest{.transform_job_name = "none"}) != "nothing");
  CHECK(Refusal(sagemaker::CreateTransformJobRequest{.transform_job_name = "t", .model_name = "none"}) ==
        "ValidationException");
  CHECK(Refusal(sagemaker::DescribeNotebookInstanceRequest{.notebook_instance_name = "none"}) != "nothing");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const std::string role = headrace::sagemaker::get_execution_role(TheSession());
    TryIdentities();
    TryLogs();
    TryMetrics();
    TryModels(role, argv[1]);
    TryJobs(role, argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sdk_operations: %s\n", error.what());
    return 1;
  }
}
