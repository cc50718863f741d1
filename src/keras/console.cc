#include "keras/console.h"

#include <cstdio>

#include <unistd.h>

namespace headrace::keras::internal {

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Warn(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "warning: %s\n", text.c_str());
}

bool PrintsToTerminal() { return isatty(STDOUT_FILENO) == 1; }

}  // namespace headrace::keras::internal
