#include "apps/commands/openmp_spin.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/file.h"
#include "base/processors.h"

namespace headrace::apps {
namespace {

constexpr size_t kMaxCommandLine = size_t{4} << 20;

}  // namespace

bool BoundSpinOfPrograms() {
  if (std::getenv(kSpinVariable) != nullptr || std::getenv(kWaitPolicyVariable) != nullptr) return false;
  return ::setenv(kSpinVariable, kBoundedSpins, 1) == 0;
}

void BoundOpenMpSpin() {
  if (!BoundSpinOfPrograms()) return;
  auto command_line = ReadFile("/proc/self/cmdline", kMaxCommandLine);
  if (!command_line || command_line->empty()) return;
  std::vector<char*> arguments;
  for (size_t at = 0; at < command_line->size(); at = command_line->find('\0', at) + 1)
    arguments.push_back(command_line->data() + at);
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
  // Without /proc the threads spin as long as they do: slower beside others, not wrong.
}

}  // namespace headrace::apps
