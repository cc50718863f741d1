#include "apps/commands/job_curves.h"

#include <algorithm>

#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/client/job_metrics.h"
#include "apps/comparison/curves_text.h"

namespace headrace::apps {
namespace {

int TerminalColumns() {
  constexpr int kUsual = 100;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

}  // namespace

std::vector<comparison::Curve> ReadCurves(const ApiClient& client, const nlohmann::json& described,
                                          const std::vector<std::string>& wanted) {
  const double created = described["CreationTime"];
  std::vector<comparison::Curve> curves;
  for (const auto& result : ReadJobMetrics(client, described, 1, "Average")) {
    comparison::Curve curve{.metric = result["Label"], .seconds = result["Timestamps"], .values = result["Values"]};
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), curve.metric) == wanted.end()) continue;
    // A second stands for the values that came in it, those before the job's creation in the first one, too.
    for (double& at : curve.seconds) at = std::max(at - created, 0.0);
    curves.push_back(std::move(curve));
  }
  return curves;
}

std::string CurvesForTerminal(const std::vector<comparison::ComparedJob>& jobs) {
  return comparison::CurvesAsText(jobs, TerminalColumns());
}

}  // namespace headrace::apps
