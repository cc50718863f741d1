#include "horovod/world.h"

#include <memory>
#include <mutex>

#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "horovod/job_communicator.h"
#include "horovod/mpi/mpi_world.h"
#include "horovod/process_timeline.h"
#include "horovod/threads/thread_transport.h"

namespace headrace::hvd {
namespace {

// Horovod's interface is one of functions, so the process has one of these. Its end at the end of the program says
// goodbye to the other ranks.
struct Process {
  ~Process() {
    if (::getpid() != pid) static_cast<void>(communicator.release());  // a child that ends is not this rank's end
  }

  const pid_t pid = ::getpid();
  Timeline& timeline = ProcessTimeline();  // made before this, so that it ends behind it
  std::mutex mutex;
  BootClock clock;
  std::unique_ptr<JobCommunicator> communicator;
};

Process& ThisProcess() {
  static Process process;
  return process;
}

std::string HostName() {
  struct utsname names {};
  return ::uname(&names) == 0 ? names.nodename : "";
}

Result<std::unique_ptr<JobCommunicator>> Start(const Clock& clock) {
  HEADRACE_ASSIGN(Settings settings, Settings::FromEnvironment());
  Surroundings surroundings = Surroundings::OfThisProcess();
  std::unique_ptr<Transport> transport;
  if (StartedByLauncher()) {
    HEADRACE_ASSIGN(transport, StartMpi(settings));
  } else {
    transport = std::move(MakeThreadTransports({HostName()}).front());
  }
  const Place place = transport->place();
  if (place.size == 1) {  // alone: no file to share, and no processor to give up
    surroundings.directory.clear();
    settings.bind_processors = false;
  }
  if (const auto ignored = IgnoredVariables(); place.rank == 0 && !ignored.empty())
    Log(LogLevel::kWarning, "hvd: without effect here: {}", fmt::join(ignored, ", "));
  return JobCommunicator::Make(std::move(transport), surroundings, settings, clock);
}

}  // namespace

Communicator& World() {
  Process& process = ThisProcess();
  if (process.communicator == nullptr)
    throw MakeError(ErrorCode::kFailedPrecondition, "hvd::init() has not been called, or hvd::shutdown() has");
  return *process.communicator;
}

void init() {
  Process& process = ThisProcess();
  const std::lock_guard lock(process.mutex);
  if (process.communicator != nullptr) return;
  auto communicator = ValueOrThrow(Start(process.clock));
  ValueOrThrow(StartTimelineOfEnvironment(communicator->place()));
  communicator->Trace(process.timeline);
  process.communicator = std::move(communicator);
}

void init(const std::vector<std::vector<int>>& process_sets) {
  if (is_initialized()) return;
  init();
  for (const auto& ranks : process_sets) add_process_set(ranks);
}

void shutdown() {
  Process& process = ThisProcess();
  const std::lock_guard lock(process.mutex);
  process.communicator.reset();
}

bool is_initialized() {
  Process& process = ThisProcess();
  const std::lock_guard lock(process.mutex);
  return process.communicator != nullptr;
}

int rank() { return World().place().rank; }
int size() { return World().place().size; }
int local_rank() { return World().place().local_rank; }
int local_size() { return World().place().local_size; }
int cross_rank() { return World().place().cross_rank; }
int cross_size() { return World().place().cross_size; }
bool is_homogeneous() { return World().place().homogeneous; }

int add_process_set(const std::vector<int>& ranks) { return ValueOrThrow(World().AddProcessSet(ranks)); }
void remove_process_set(int process_set) { ValueOrThrow(World().RemoveProcessSet(process_set)); }

}  // namespace headrace::hvd
