// headrace upload PATH [S3_URI]
#include "apps/commands/upload_command.h"

#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "apps/client/sdk_session.h"
#include "apps/command.h"
#include "apps/platform/settings.h"

namespace headrace::apps {
namespace {

void Upload(const std::string& data_dir, const std::string& path, std::string uri, OutputFormat format) {
  const sagemaker::Session session = FindSession(data_dir);
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
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto path = std::make_shared<std::string>(), uri = std::make_shared<std::string>();
  command->add_option("PATH", *path, "a file or directory")->required();
  command->add_option("S3_URI", *uri, "s3://BUCKET/PREFIX; default: the default bucket, below the directory's name");
  auto format = AddOutputOption(*command);
  command->callback([=] { Upload(options->Read().data_dir, *path, *uri, *format); });
  SetExample(*command, "headrace upload data s3://my-bucket/cifar10");
}

}  // namespace headrace::apps
