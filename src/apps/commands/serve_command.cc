#include "apps/commands/serve_command.h"

#include <iostream>
#include <map>

#include <malloc.h>
#include <signal.h>

#include "apps/command.h"
#include "apps/platform/end_signals.h"
#include "apps/platform/heap_trim.h"
#include "apps/platform/platform.h"
#include "apps/platform/settings.h"
#include "base/descriptor_limit.h"
#include "base/log.h"

namespace headrace::apps {
namespace {

LogLevel LevelOf(const std::string& name) {
  const std::map<std::string, LogLevel> levels{{"debug", LogLevel::kDebug},
                                               {"info", LogLevel::kInfo},
                                               {"warning", LogLevel::kWarning},
                                               {"error", LogLevel::kError}};
  const auto level = levels.find(name);
  if (level == levels.end())
    throw MakeError(ErrorCode::kInvalidArgument, "log-level: found '{}', wanted debug, info, warning or error", name);
  return level->second;
}

// Left to itself, glibc makes eight heaps for each processor, and learns from a large block that is given back to keep
// such blocks in all of them: a few large requests then cost memory for good. These few heaps keep a megabyte each.
void BoundHeaps() {
  ::mallopt(M_ARENA_MAX, 4);
  ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

void RunServe(const SettingOptions& options) {
  BoundHeaps();
  const Settings settings = options.Read();
  ValueOrThrow(ConfigureLog(LevelOf(settings.log_level), settings.log_file));
  RaiseDescriptorLimit();
  const sigset_t signals = BlockEndSignals();
  const auto platform = ValueOrThrow(Platform::Start(settings));
  std::cout << fmt::format("headrace serves {} from {}\nfor clients: eval \"$({})\"\n", platform->address().endpoint,
                           settings.data_dir, EnvCommandLine(settings.data_dir))
            << std::flush;
  const HeapTrim trim(std::chrono::seconds(15));
  int signal = 0;
  ::sigwait(&signals, &signal);
  Log(LogLevel::kInfo, "signal {}: stopping", signal);
  platform->Stop();
}

}  // namespace

void AddServeCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("serve", "the platform: S3, SageMaker, CloudWatch, Logs, STS and IAM");
  auto options = std::make_shared<SettingOptions>(*command);
  SetExample(*command, "headrace serve --listen 127.0.0.1:4567 --data-dir ~/headrace");
  command->callback([options] { RunServe(*options); });
}

}  // namespace headrace::apps
