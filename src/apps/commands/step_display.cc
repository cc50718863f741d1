#include "apps/commands/step_display.h"

#include <cstdio>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

namespace headrace::apps {
namespace {

constexpr uint64_t kBarWidth = 30;

std::string LineOf(std::string_view what, uint64_t done, uint64_t total) {
  if (total == 0) return fmt::format("{}: {}", what, done);
  const uint64_t filled = kBarWidth * done / total;
  return fmt::format("{:<20} [{:=<{}}{:.<{}}] {:3} %", what, "", filled, "", kBarWidth - filled, 100 * done / total);
}

}  // namespace

StepDisplay::StepDisplay(bool terminal, std::function<void(const std::string&)> write)
    : terminal_(terminal), write_(std::move(write)) {}

StepDisplay StepDisplay::OfProcess() {
  return {isatty(STDERR_FILENO) == 1, [](const std::string& text) {
            std::fputs(text.c_str(), stderr);
            std::fflush(stderr);
          }};
}

void StepDisplay::Show(std::string_view what, uint64_t done, uint64_t total) {
  const bool finished = total > 0 && done >= total;
  if (!terminal_) {
    if (finished) write_(fmt::format("{}: done\n", what));
    return;
  }
  std::string line = LineOf(what, done, total);
  if (line != shown_) write_("\r" + line + "\x1b[K");  // erases what a longer line left
  if (finished) write_("\n");
  shown_ = finished ? "" : std::move(line);
}

}  // namespace headrace::apps
