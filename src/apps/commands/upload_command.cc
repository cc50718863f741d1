// headrace upload PATH [S3_URI]
#include "apps/commands/upload_command.h"

#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/client/server_options.h"
#include "apps/client/shown_transfer.h"
#include "apps/command.h"

namespace headrace::apps {
namespace {

void Upload(const ServerOptions& server, const std::string& path, std::string uri, OutputFormat format) {
  const sagemaker::Session session = server.FindSession();
  if (uri.empty()) {
    uri = "s3://" + session.default_bucket();
    if (std::filesystem::is_directory(path)) uri += "/" + std::filesystem::canonical(path).filename().string();
  }
  const std::string place = sagemaker::S3Uploader::upload(path, uri, session, ShownTransfer("uploading " + path));
  if (format == OutputFormat::kJson) {
    std::cout << nlohmann::json{{"S3Uri", place}}.dump(2) << "\n";
  } else {
    std::cout << place << "\n";
  }
}

}  // namespace

void AddUploadCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("upload", "a file, or all files below a directory, to S3; prints where they lie");
  const ServerOptions server(*command);
  auto path = std::make_shared<std::string>(), uri = std::make_shared<std::string>();
  command->add_option("PATH", *path, "a file or directory")->required();
  command->add_option("S3_URI", *uri, "s3://BUCKET/PREFIX; default: the default bucket, below the directory's name");
  auto format = AddOutputOption(*command);
  command->callback([=] { Upload(server, *path, *uri, *format); });
  SetExample(*command, "headrace upload data s3://my-bucket/cifar10");
}

}  // namespace headrace::apps
