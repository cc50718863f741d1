#include "apps/python/framework_trial.h"

#include <fmt/format.h>

namespace headrace::apps {

FrameworkTrial TryFramework(const TrialRun& trial, const jobs::Interpreter& interpreter,
                            const jobs::Framework& framework, std::vector<std::string> shown) {
  shown.insert(shown.end(), interpreter.paths.begin(), interpreter.paths.end());
  const auto tried = trial.Shell(fmt::format("TF_CPP_MIN_LOG_LEVEL=3 '{}' -c 'import {} as m; print(m.__version__)'",
                                             interpreter.program, framework.module),
                                 shown);
  return {tried.worked, tried.printed, tried.worked ? "" : tried.said};
}

}  // namespace headrace::apps
