// headrace transform JOB INPUT
#include "apps/commands/transform_command.h"

#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/client/content_type.h"
#include "apps/client/server_options.h"
#include "apps/client/shown_transfer.h"
#include "apps/command.h"

namespace headrace::apps {
namespace {

struct TransformArguments {
  std::string job, input;
  sagemaker::TransformerOptions transformer;
  sagemaker::TransformOptions transform;
  std::string instance_type = "ml.m5.xlarge";
  int instances = 1;
  bool no_wait = false;
};

// Files of this machine are uploaded below the job's own prefix.
std::string InputUri(const TransformArguments& arguments, const std::string& job, const sagemaker::Session& session) {
  if (arguments.input.starts_with("s3://")) return arguments.input;
  const std::string prefix = "s3://" + session.default_bucket() + "/" + job + "/input";
  return sagemaker::S3Uploader::upload(arguments.input, prefix, session, ShownTransfer("uploading " + arguments.input));
}

std::string FirstObject(const std::string& uri, const sagemaker::Session& session) {
  const auto objects = sagemaker::S3Downloader::list(uri, session);
  if (objects.empty()) throw Error(ErrorCode::kNotFound, uri + ": no object is there or below");
  return objects.front();
}

// The model is made for the job: it goes with it, also when the job fails or is refused. One whose server has not
// answered may still run.
void RunAndDeleteModel(sagemaker::Transformer& transformer, const std::string& input,
                       const sagemaker::TransformOptions& options) {
  try {
    transformer.transform(input, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnavailable) transformer.delete_model();
    throw;
  }
  if (options.wait) transformer.delete_model();
}

void Transform(const ServerOptions& server, const TransformArguments& arguments, OutputFormat format) {
  const sagemaker::Session session = server.FindSession();
  const auto estimator = sagemaker::TensorFlow::attach(arguments.job, session, {.wait = false});
  sagemaker::TransformOptions options = arguments.transform;
  if (options.job_name.empty()) options.job_name = sagemaker::name_from_base(arguments.job);
  const std::string input = InputUri(arguments, options.job_name, session);
  if (options.content_type.empty()) options.content_type = ContentTypeOf(FirstObject(input, session));
  options.wait = !arguments.no_wait;
  if (format == OutputFormat::kJson) options.print = [](std::string_view line) { std::cerr << line << "\n"; };
  auto transformer = estimator.transformer(arguments.instances, arguments.instance_type, arguments.transformer);
  RunAndDeleteModel(transformer, input, options);
  if (format == OutputFormat::kJson) {
    std::cout << nlohmann::json{{"TransformJobName", transformer.latest_transform_job_name()},
                                {"S3OutputPath", transformer.output_path()}}
                     .dump(2)
              << "\n";
  } else {
    std::cout << transformer.output_path() << "\n";
  }
}

}  // namespace

void AddTransformCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "transform", "the model of a training job over files or objects (batch transform); prints where the answers lie");
  const ServerOptions server(*command);
  auto arguments = std::make_shared<TransformArguments>();
  auto& [job, input, transformer, transform, instance_type, instances, no_wait] = *arguments;
  command->add_option("JOB", job, "a training job that has completed")->required();
  command->add_option("INPUT", input, "a file or directory, which is uploaded, or s3://…: an object or a prefix")
      ->required();
  command->add_option("--to", transformer.output_path, "s3://…; default: the default bucket, below the job's name");
  command->add_option("--name", transform.job_name, "of the transform job; default: JOB and the time");
  command->add_option("--content-type", transform.content_type, "of the input; default: by the first object's name");
  command->add_option("--accept", transformer.accept, "of the answers");
  command->add_option("--split", transform.split_type, "None, Line, RecordIO or TFRecord: what a record is");
  command->add_option("--strategy", transformer.strategy, "SingleRecord or MultiRecord: records in a request");
  command->add_option("--assemble-with", transformer.assemble_with, "None or Line: what lies between answers");
  command->add_option("--instances", instances, "how many")->capture_default_str();
  command->add_option("--instance-type", instance_type, "of each")->capture_default_str();
  command->add_flag("--no-wait", no_wait, "do not wait for the end; the model stays");
  auto format = AddOutputOption(*command);
  command->callback([=] { Transform(server, *arguments, *format); });
  SetExample(*command, "headrace transform my-job pictures --to s3://my-bucket/answers");
}

}  // namespace headrace::apps
