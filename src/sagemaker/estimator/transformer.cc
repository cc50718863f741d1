// Batch transform: a model over the objects of a bucket.
#include <cstdio>

#include <unistd.h>

#include "sagemaker/estimator/endpoint.h"
#include "sagemaker/estimator/job_watch.h"
#include "sagemaker/estimator/printing.h"
#include "sagemaker/estimator/waiting.h"

namespace headrace::sagemaker {
namespace {

constexpr const char* kTransformLogs = "/aws/sagemaker/TransformJobs";

Json TransformRequest(const TransformerOptions& transformer, const TransformOptions& options, const std::string& data,
                      const std::string& job, const std::string& output) {
  Json input{{"DataSource", {{"S3DataSource", {{"S3DataType", options.data_type}, {"S3Uri", data}}}}}};
  PutText(input, "ContentType", options.content_type);
  PutText(input, "CompressionType", options.compression_type);
  PutText(input, "SplitType", options.split_type);
  Json to{{"S3OutputPath", output}};
  PutText(to, "AssembleWith", transformer.assemble_with);
  PutText(to, "Accept", transformer.accept);
  Json request{{"TransformJobName", job},
               {"ModelName", transformer.model_name},
               {"TransformInput", std::move(input)},
               {"TransformOutput", std::move(to)},
               {"TransformResources",
                {{"InstanceCount", transformer.instance_count}, {"InstanceType", transformer.instance_type}}}};
  PutText(request, "BatchStrategy", transformer.strategy);
  if (transformer.max_concurrent_transforms > 0)
    request["MaxConcurrentTransforms"] = transformer.max_concurrent_transforms;
  if (transformer.max_payload >= 0) request["MaxPayloadInMB"] = transformer.max_payload;
  if (!transformer.environment.empty()) request["Environment"] = transformer.environment;
  if (!transformer.tags.empty()) request["Tags"] = TagList(transformer.tags);
  Json processing = Json::object();
  PutText(processing, "InputFilter", options.input_filter);
  PutText(processing, "OutputFilter", options.output_filter);
  PutText(processing, "JoinSource", options.join_source);
  if (!processing.empty()) request["DataProcessing"] = std::move(processing);
  return request;
}

}  // namespace

Transformer::Transformer(TransformerOptions options, Session session)
    : options_(std::move(options)), session_(std::move(session)) {
  if (options_.model_name.empty()) ThrowInvalid("model_name: found nothing, wanted a model's name");
  if (options_.instance_type.empty()) ThrowInvalid("instance_type: found nothing, wanted one such as ml.m5.xlarge");
}

void Transformer::transform(const std::string& s3_data, const TransformOptions& options) {
  job_name_ = options.job_name.empty() ? name_from_base(options_.model_name) : options.job_name;
  output_path_ =
      options_.output_path.empty() ? "s3://" + session_.default_bucket() + "/" + job_name_ : options_.output_path;
  CallWith(session_.sagemaker(), "CreateTransformJob",
           TransformRequest(options_, options, s3_data, job_name_, output_path_));
  if (options.wait) wait(options);
}

void Transformer::wait(const TransformOptions& options) const {
  if (job_name_.empty())
    throw Error(ErrorCode::kFailedPrecondition, "the transformer has no job yet: call transform() first");
  LogFollower log(kTransformLogs, job_name_ + "/", HasColours(options.print), AskOf(session_, options.stop),
                  PrinterOf(options.print));
  for (bool ended = false;; Pause(options.poll, options.stop)) {
    const Json job =
        CallWith(session_.sagemaker(), "DescribeTransformJob", {{"TransformJobName", job_name_}}, options.stop);
    if (options.logs) log.Step();
    const std::string status = TextMember(job, "TransformJobStatus");
    if (!HasEnded(status) || !std::exchange(ended, true)) continue;  // what it wrote last comes after its status
    if (status == "Failed")
      throw Error(ErrorCode::kFailedPrecondition,
                  "transform job " + job_name_ + " failed: " + TextMember(job, "FailureReason"));
    return;
  }
}

void Transformer::stop() const {
  CallWith(session_.sagemaker(), "StopTransformJob", {{"TransformJobName", job_name_}});
}

void Transformer::delete_model() const {
  CallWith(session_.sagemaker(), "DeleteModel", {{"ModelName", options_.model_name}});
}

}  // namespace headrace::sagemaker
