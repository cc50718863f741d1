// headrace download S3_URI|JOB [DIRECTORY]
#include "apps/commands/download_command.h"

#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/client/server_options.h"
#include "apps/client/shown_transfer.h"
#include "apps/command.h"

namespace headrace::apps {
namespace {

// A training job stands for its model.
std::string UriOf(const std::string& source, const sagemaker::Session& session) {
  if (source.starts_with("s3://")) return source;
  return sagemaker::TensorFlow::attach(source, session, {.wait = false}).model_data();
}

void Download(const ServerOptions& server, const std::string& source, const std::string& directory,
              OutputFormat format) {
  const sagemaker::Session session = server.FindSession();
  const auto files = sagemaker::S3Downloader::download(UriOf(source, session), directory, session,
                                                       ShownTransfer("downloading " + source));
  if (format == OutputFormat::kJson) {
    std::cout << nlohmann::json{{"Files", files}}.dump(2) << "\n";
    return;
  }
  for (const std::string& file : files) std::cout << file << "\n";
}

}  // namespace

void AddDownloadCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "download", "an object, all objects below a prefix, or the model of a training job, from S3; prints the files");
  const ServerOptions server(*command);
  auto source = std::make_shared<std::string>(), directory = std::make_shared<std::string>(".");
  command->add_option("JOB", *source, "a training job, or s3://BUCKET/KEY, or s3://BUCKET/PREFIX")->required();
  command->add_option("DIRECTORY", *directory, "where the files go")->capture_default_str();
  auto format = AddOutputOption(*command);
  command->callback([=] { Download(server, *source, *directory, *format); });
  SetExample(*command, "headrace download my-job model");
}

}  // namespace headrace::apps
