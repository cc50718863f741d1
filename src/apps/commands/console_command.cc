#include "apps/commands/console_command.h"

#include <cstdlib>
#include <iostream>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/client/server_options.h"

namespace headrace::apps {
namespace {

bool HasDesktop() { return std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr; }

// By the desktop's own choice of browser; false where there is none.
bool OpenInBrowser(const std::string& url) {
  std::vector<std::string> words{"xdg-open", url};
  char* arguments[] = {words[0].data(), words[1].data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments, ::environ) != 0) return false;
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

void AddConsoleCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("console", "the console in a browser, signed in by a link that works once");
  const ServerOptions server(*command);
  auto print = std::make_shared<bool>(false);
  command->add_flag("--print", *print, "print the link instead of opening it");
  SetExample(*command, "headrace console");
  command->callback([=] {
    const nlohmann::json link =
        ValueOrThrow(server.FindClient().Call("headrace", "CreateSignInLink", nlohmann::json::object()));
    const auto url = link.at("Url").get<std::string>();
    if (*print || !HasDesktop() || !OpenInBrowser(url))
      std::cout << "Open this within a minute; it signs in once:\n" << url << "\n";
  });
}

}  // namespace headrace::apps
