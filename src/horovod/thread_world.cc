#include "horovod/thread_world.h"

#include <exception>
#include <thread>

#include "horovod/job_communicator.h"
#include "horovod/threads/thread_transport.h"

namespace headrace::hvd {

void RunThreadWorld(int ranks, const std::function<void(Communicator&)>& program, const ThreadWorldOptions& options) {
  const auto count = static_cast<size_t>(ranks);
  std::vector<std::string> machines = options.machines;
  machines.resize(count, "machine");
  auto transports = MakeThreadTransports(options.hosts.empty() ? machines : options.hosts);
  Settings settings = options.settings;
  settings.bind_processors = false;
  const BootClock clock;
  std::vector<std::exception_ptr> errors(count);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < count; ++rank)
    threads.emplace_back([&, rank] {
      try {
        const auto communicator = ValueOrThrow(JobCommunicator::Make(
            std::move(transports[rank]), {machines[rank], SharedMemoryDirectory()}, settings, clock));
        program(*communicator);
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace headrace::hvd
