#include "apps/commands/job_curves.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/comparison/curves_text.h"

namespace headrace::apps {
namespace {

int TerminalColumns() {
  constexpr int kUsual = 100;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

std::string CurvesForTerminal(const std::vector<comparison::ComparedJob>& jobs) {
  return comparison::CurvesAsText(jobs, TerminalColumns());
}

}  // namespace headrace::apps
