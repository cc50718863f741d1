#include "apps/commands/openmp_spin.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/file.h"

namespace headrace::apps {
namespace {

constexpr const char* kSpins = "3000";
constexpr size_t kMaxCommandLine = size_t{4} << 20;

}  // namespace

void BoundOpenMpSpin() {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  auto command_line = ReadFile("/proc/self/cmdline", kMaxCommandLine);
  if (!command_line || command_line->empty()) return;
  std::vector<char*> arguments;
  for (size_t at = 0; at < command_line->size(); at = command_line->find('\0', at) + 1)
    arguments.push_back(command_line->data() + at);
  arguments.push_back(nullptr);
  ::setenv("GOMP_SPINCOUNT", kSpins, 1);
  ::execv("/proc/self/exe", arguments.data());
  // Without /proc the threads spin as long as they do: slower beside others, not wrong.
}

}  // namespace headrace::apps
