#include "jobs/machine/machine.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "base/log.h"
#include "jobs/sandbox/sandbox.h"

namespace headrace::jobs {
namespace {

uint64_t MemoryOfThisMachine() {
  return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Machine::Machine(MachineOptions options)
    : options_(std::move(options)),
      cores_(CoresOfThisProcess(), options_.job_cores),
      most_memory_of_one_(MemoryOfThisMachine() / 16 * 15),
      interpreters_(options_.python, options_.data_dir) {}

const Status& Machine::sandbox() {
  std::call_once(sandbox_probed_, [this] {
    sandbox_ = options_.sandbox ? ProbeBubblewrap()
                                : Fail(ErrorCode::kUnavailable, "the platform was started without sandboxes");
    if (!sandbox_)
      Log(LogLevel::kWarning, "jobs and model servers run as plain processes: {}", sandbox_.error().message());
  });
  return sandbox_;
}

uint64_t TasksFor(uint64_t cores) { return 256 + 64 * std::max<uint64_t>(cores, 1); }

}  // namespace headrace::jobs
