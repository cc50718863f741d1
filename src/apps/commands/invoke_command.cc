// headrace invoke ENDPOINT FILE
#include "apps/commands/invoke_command.h"

#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "apps/client/content_type.h"
#include "apps/client/server_options.h"
#include "apps/command.h"
#include "aws/header_text.h"
#include "base/file.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxBody = size_t{64} << 20;

struct InvokeArguments {
  std::string endpoint, file, content_type, accept = "application/json";
};

std::string BodyOf(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  return ValueOrThrow(ReadRegularFile(file, kMaxBody));
}

// The answer beside what came with it: JSON as it is, other text as a string.
Json ToJson(const sagemaker::InvokeEndpointReply& reply) {
  Json body = Json::parse(reply.body, nullptr, false);
  if (body.is_discarded() && !aws::IsUtf8(reply.body))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "-o json: found an answer of type {} that is no text: without it the answer is printed as it comes",
                    reply.content_type);
  if (body.is_discarded()) body = reply.body;
  return {{"ContentType", reply.content_type},
          {"InvokedProductionVariant", reply.invoked_production_variant},
          {"Body", std::move(body)}};
}

void Invoke(const ServerOptions& server, const InvokeArguments& arguments, OutputFormat format) {
  const std::string type = arguments.content_type.empty() ? ContentTypeOf(arguments.file) : arguments.content_type;
  const std::string body = BodyOf(arguments.file);
  const auto reply =
      server.FindSession()
          .runtime()
          .InvokeEndpoint(
              {.endpoint_name = arguments.endpoint, .body = body, .content_type = type, .accept = arguments.accept})
          .value();
  if (format == OutputFormat::kJson) {
    std::cout << ToJson(reply).dump(2) << "\n";
  } else {
    std::cout << reply.body << std::flush;
  }
}

}  // namespace

void AddInvokeCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("invoke", "asks an endpoint with a file as the body; prints the answer as it comes");
  const ServerOptions server(*command);
  auto arguments = std::make_shared<InvokeArguments>();
  command->add_option("ENDPOINT", arguments->endpoint, "its name")->required();
  command->add_option("FILE", arguments->file, ".json, .jsonl, .csv, .npy; -: the standard input")->required();
  command->add_option("--content-type", arguments->content_type, "of the body; default: by the file's name");
  command->add_option("--accept", arguments->accept, "of the answer")->capture_default_str();
  auto format = AddOutputOption(*command);
  command->callback([=] { Invoke(server, *arguments, *format); });
  SetExample(*command, "headrace invoke cifar10 image.npy");
}

}  // namespace headrace::apps
