// JobCommunicator: the ranks of a job over a Transport, whatever that is made of.
#pragma once

#include <memory>

#include "base/clock.h"
#include "horovod/carrier.h"
#include "horovod/communicator.h"
#include "horovod/engine.h"
#include "horovod/rendezvous.h"
#include "horovod/workload.h"

namespace headrace::hvd {

class JobCommunicator : public Communicator {
 public:
  // All ranks call it. `clock` must outlive it.
  static Result<std::unique_ptr<JobCommunicator>> Make(std::unique_ptr<Transport> transport,
                                                       const Surroundings& surroundings, const Settings& settings,
                                                       const Clock& clock);
  ~JobCommunicator() override;

  const Place& place() const override { return core_->transport->place(); }
  std::string NameOf(int rank) const override;
  // Named collectives are written there from now on.
  void Trace(Timeline& timeline) { core_->engine->Trace(timeline); }
  const Topology& topology() const { return core_->meeting.topology; }
  Result<std::unique_ptr<SharedMemory>> Allocate(size_t bytes) override;
  Result<std::unique_ptr<Plan>> MakePlan(SharedMemory& memory, std::vector<Bucket> buckets,
                                         PlanOptions options) override;
  Result<Handle> Enqueue(Collective collective) override;
  bool Poll(Handle handle) override { return core_->engine->Poll(handle); }
  Result<Outcome> Synchronize(Handle handle) override { return core_->engine->Synchronize(handle); }
  Result<int> AddProcessSet(const std::vector<int>& ranks) override;
  Status RemoveProcessSet(int process_set) override;
  void Tell(std::string_view doing) override { core_->meeting.machine->Tell(doing); }
  void Abort(std::string_view reason) override { core_->engine->Abort(std::string(reason)); }
  void Shutdown() override;

 private:
  // What plans and shared memory need as long as they live, which may be longer than the communicator.
  struct Core {
    std::unique_ptr<Transport> transport;
    Settings settings;
    const Clock& clock;
    Meeting meeting{};
    std::unique_ptr<Engine> engine{};
    Workload workload{};
    std::unique_ptr<Carrier> carrier{};  // of a leader, when there are several machines
  };

  JobCommunicator(std::shared_ptr<Core> core, Surroundings surroundings)
      : core_(std::move(core)), surroundings_(std::move(surroundings)) {}

  Status Begin();
  // A segment for each machine, as long as the group lasts.
  Result<Segment> Share(const std::string& purpose, size_t bytes);
  Result<int> ChangeProcessSets(Request request);
  Status AwaitOthers();
  Status AwaitMachines(StallWatch& watch);

  const std::shared_ptr<Core> core_;
  const Surroundings surroundings_;
  int allocations_ = 0, plans_ = 0, set_changes_ = 0;
  bool shut_down_ = false;
};

}  // namespace headrace::hvd
