#include "apps/commands/completion_command.h"

#include <iostream>
#include <map>

#include "apps/client/server_options.h"
#include "apps/command.h"
#include "apps/completion/candidates.h"
#include "apps/completion/scripts.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;

// The newest names that a server has. A shell that completes waits for it: it is asked once, for a second at most.
std::vector<std::string> NamesFrom(const ApiClient& client, const std::string& kind) {
  const bool jobs = kind == "job";
  const auto listed = client.Call("sagemaker", jobs ? "ListTrainingJobs" : "ListEndpoints", {{"MaxResults", 100}},
                                  {.timeout = std::chrono::seconds(1), .max_attempts = 1});
  std::vector<std::string> names;
  if (!listed) return names;
  for (const auto& one : (*listed)[jobs ? "TrainingJobSummaries" : "Endpoints"])
    names.push_back(one[jobs ? "TrainingJobName" : "EndpointName"]);
  return names;
}

void Complete(const CLI::App& program, const std::vector<std::string>& words, const ServerOptions& server) {
  const NamesOf names = [&](const std::string& kind) { return NamesFrom(server.FindClient(), kind); };
  for (const Candidate& candidate : Candidates(program, words, names))
    std::cout << candidate.text << (candidate.help.empty() ? "" : "\t" + candidate.help) << "\n";
}

void AddCompleteCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("complete", "what may come next on a command line");
  command->group("");  // for shells, not for people
  const ServerOptions server(*command);
  auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("WORDS", *words, "behind the program's name");
  command->callback([=] { Complete(*command->get_parent(), *words, server); });
}

}  // namespace

void AddCompletionCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("completion", "prints what a shell reads to complete headrace's command lines");
  auto shell = std::make_shared<std::string>();
  const std::map<std::string, const char*> scripts{
      {"bash", kBashCompletion}, {"zsh", kZshCompletion}, {"fish", kFishCompletion}};
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([=] { std::cout << scripts.at(*shell); });
  SetExample(*command, "eval \"$(headrace completion bash)\"   or, of fish:   headrace completion fish | source");
  AddCompleteCommand(app);
}

}  // namespace headrace::apps
