#include "sagemaker/estimator/printing.h"

#include <cstdio>

#include <unistd.h>

namespace headrace::sagemaker {

Print PrinterOf(const Print& print) {
  if (print) return print;
  return [](std::string_view line) {
    std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(stdout);
  };
}

bool HasColours(const Print& print) { return !print && ::isatty(STDOUT_FILENO) == 1; }

Ask AskOf(const Session& session, const std::stop_token& stop) {
  return [session, stop](std::string_view service, std::string_view operation, const Json& input) {
    return CallWith(service == "logs" ? session.logs() : session.sagemaker(), operation, input, stop);
  };
}

}  // namespace headrace::sagemaker
