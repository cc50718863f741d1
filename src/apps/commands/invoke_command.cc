// headrace invoke ENDPOINT FILE
#include "apps/commands/invoke_command.h"

#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>

#include "apps/client/sdk_session.h"
#include "apps/command.h"
#include "apps/platform/settings.h"
#include "base/file.h"

namespace headrace::apps {
namespace {

constexpr size_t kMaxBody = size_t{64} << 20;

struct InvokeArguments {
  std::string endpoint, file, content_type, accept = "application/json";
};

std::string ContentTypeOf(const std::string& file) {
  static const std::map<std::string, std::string> kTypes = {{".json", "application/json"},
                                                            {".jsonl", "application/jsonlines"},
                                                            {".csv", "text/csv"},
                                                            {".npy", "application/x-npy"}};
  const auto found = kTypes.find(std::filesystem::path(file).extension().string());
  if (found != kTypes.end()) return found->second;
  throw CLI::ValidationError(
      "--content-type", "found a file '" + file + "', whose type no name tells (.json, .jsonl, .csv, .npy): say it");
}

std::string BodyOf(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  return ValueOrThrow(ReadRegularFile(file, kMaxBody));
}

void Invoke(const std::string& data_dir, const InvokeArguments& arguments) {
  const std::string type = arguments.content_type.empty() ? ContentTypeOf(arguments.file) : arguments.content_type;
  const std::string body = BodyOf(arguments.file);
  const sagemaker::Predictor predictor(arguments.endpoint, FindSession(data_dir));
  std::cout << predictor.predict(body, type, arguments.accept) << std::flush;
}

}  // namespace

void AddInvokeCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("invoke", "asks an endpoint with a file as the body; prints the answer as it comes");
  auto options = std::make_shared<SettingOptions>(*command, std::initializer_list<std::string_view>{"data-dir"});
  auto arguments = std::make_shared<InvokeArguments>();
  command->add_option("ENDPOINT", arguments->endpoint, "its name")->required();
  command->add_option("FILE", arguments->file, ".json, .jsonl, .csv, .npy; -: the standard input")->required();
  command->add_option("--content-type", arguments->content_type, "of the body; default: by the file's name");
  command->add_option("--accept", arguments->accept, "of the answer")->capture_default_str();
  command->callback([=] { Invoke(options->Read().data_dir, *arguments); });
  SetExample(*command, "headrace invoke cifar10 image.npy");
}

}  // namespace headrace::apps
