#include "horovod/job_communicator.h"

#include <algorithm>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/processors.h"
#include "horovod/comparison.h"
#include "horovod/plan.h"

namespace headrace::hvd {
namespace {

Status CheckBuckets(const SharedMemory& memory, const std::vector<Bucket>& buckets, const PlanOptions& options) {
  constexpr size_t kAlignment = 64;
  if (options.op == ReduceOp::kAdasum)
    return Fail(ErrorCode::kInvalidArgument, "plan \"{}\": found op adasum, wanted average, sum, min, max or product",
                options.name);
  if (options.dtype == DataType::kBool && options.op == ReduceOp::kAverage)
    return Fail(ErrorCode::kInvalidArgument, "plan \"{}\": bool has no average", options.name);
  size_t end = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.offset % kAlignment != 0 || bucket.offset < end)
      return Fail(ErrorCode::kInvalidArgument,
                  "plan \"{}\", bucket \"{}\": found offset {}, wanted a multiple of {} behind the bucket before it",
                  options.name, bucket.name, bucket.offset, kAlignment);
    if (bucket.count < 0 || static_cast<uint64_t>(bucket.count) > memory.bytes() / SizeOf(options.dtype) ||
        bucket.offset + static_cast<size_t>(bucket.count) * SizeOf(options.dtype) > memory.bytes())
      return Fail(ErrorCode::kInvalidArgument,
                  "plan \"{}\", bucket \"{}\": found {} elements at offset {}, wanted them within {} bytes",
                  options.name, bucket.name, bucket.count, bucket.offset, memory.bytes());
    end = bucket.offset + static_cast<size_t>(bucket.count) * SizeOf(options.dtype);
  }
  return {};
}

std::vector<Fact> Describe(const std::vector<Bucket>& buckets, const PlanOptions& options) {
  std::vector<Fact> facts = {{"dtype", NameOf(options.dtype)},
                             {"op", NameOf(options.op)},
                             {"prescale", fmt::format("{}", options.prescale)},
                             {"postscale", fmt::format("{}", options.postscale)},
                             {"compression", std::to_string(static_cast<int>(options.compression))}};
  for (size_t i = 0; i < buckets.size(); ++i)
    facts.push_back({fmt::format("bucket {}", i), fmt::format("\"{}\" with {} elements at {}", buckets[i].name,
                                                              buckets[i].count, buckets[i].offset)});
  for (Fact& fact : facts) fact.what = fmt::format("plan \"{}\", {}", options.name, fact.what);
  return facts;
}

}  // namespace

Result<std::unique_ptr<JobCommunicator>> JobCommunicator::Make(std::unique_ptr<Transport> transport,
                                                               const Surroundings& surroundings,
                                                               const Settings& settings, const Clock& clock) {
  std::shared_ptr<Core> core(new Core{std::move(transport), settings, clock});
  std::unique_ptr<JobCommunicator> made(new JobCommunicator(std::move(core), surroundings));
  HEADRACE_TRY(made->Begin());
  return made;
}

Status JobCommunicator::Begin() {
  HEADRACE_ASSIGN(core_->meeting, Meet(*core_->transport, surroundings_, core_->settings, core_->clock));
  const Topology& topology = core_->meeting.topology;
  const auto exchange = [this](const std::string& mine) { return core_->transport->Exchange(mine); };
  HEADRACE_ASSIGN(auto windows, ShareSegment(exchange, topology, surroundings_.directory,
                                             Windows::BytesFor(static_cast<int>(topology.neighbours().size()))));
  HEADRACE_ASSIGN(auto shortcuts, ShareSegment(exchange, topology, surroundings_.directory,
                                               topology.neighbours().size() * Shortcut::kRoom));
  bool own_processor = Processors().size() >= topology.neighbours().size();
  if (core_->settings.bind_processors) {
    HEADRACE_ASSIGN(own_processor, ShareProcessors(exchange, topology));
  }
  core_->meeting.machine->set_own_processor(own_processor);
  core_->engine = std::make_unique<Engine>(*core_->transport, *core_->meeting.machine, topology, std::move(windows),
                                           std::move(shortcuts), core_->settings, core_->clock);
  if (topology.machines.size() == 1 || topology.index != 0) return {};
  std::vector<int> leaders;
  for (const auto& machine : topology.machines) leaders.push_back(machine.front());
  const auto interrupted = [core = core_.get()] { return core->engine->Interrupted(); };
  core_->carrier = std::make_unique<Carrier>(
      MachineLinks(*core_->transport, Lane::kPlans, std::move(leaders), static_cast<size_t>(topology.machine),
                   core_->settings, core_->clock, interrupted,
                   RankNames{core_->meeting.machine->self(), topology.hosts}),
      *core_->meeting.machine, [core = core_.get()](const Error& error) { core->engine->Fail(error); });
  return {};
}

JobCommunicator::~JobCommunicator() {
  if (core_->engine != nullptr) Shutdown();
}

Result<Handle> JobCommunicator::Enqueue(Collective collective) {
  return core_->engine->Enqueue({RequestKind::kCollective, std::move(collective)});
}

std::string JobCommunicator::NameOf(int rank) const {
  return hvd::NameOf(Absent{rank, topology().hosts[static_cast<size_t>(rank)]});
}

Result<Segment> JobCommunicator::Share(const std::string& purpose, size_t bytes) {
  const auto exchange = [&](const std::string& mine) { return GatherTexts(*this, purpose, mine); };
  return ShareSegment(exchange, topology(), surroundings_.directory, bytes);
}

Result<std::unique_ptr<SharedMemory>> JobCommunicator::Allocate(size_t bytes) {
  const std::string purpose = fmt::format("headrace.allocation {}", allocations_++);
  HEADRACE_TRY(CompareAcrossRanks(*this, purpose, {{"the bytes of an allocation", std::to_string(bytes)}}));
  const auto members = static_cast<int>(topology().neighbours().size());
  HEADRACE_ASSIGN(auto segment, Share(purpose, MachineMemory::BytesFor(bytes, members)));
  return std::unique_ptr<SharedMemory>(std::make_unique<MachineMemory>(std::move(segment), bytes, topology().index));
}

Result<std::unique_ptr<Plan>> JobCommunicator::MakePlan(SharedMemory& memory, std::vector<Bucket> buckets,
                                                        PlanOptions options) {
  auto* shared = dynamic_cast<MachineMemory*>(&memory);
  if (shared == nullptr)
    return Fail(ErrorCode::kInvalidArgument, "plan \"{}\": the memory is not from Allocate", options.name);
  const std::string purpose = fmt::format("headrace.plan {}", plans_++);
  // What is wrong on one rank only is a difference, too: nobody is left waiting.
  const Status valid = CheckBuckets(memory, buckets, options);
  auto facts = Describe(buckets, options);
  facts.push_back({fmt::format("plan \"{}\"", options.name), valid ? "nothing wrong" : valid.error().message()});
  HEADRACE_TRY(CompareAcrossRanks(*this, purpose, facts));
  HEADRACE_TRY(valid);
  GroupPlan::Shape shape{std::move(buckets), std::move(options), place().size,
                         static_cast<int>(topology().machines.size())};
  const auto members = static_cast<int>(topology().neighbours().size());
  HEADRACE_ASSIGN(auto segment, Share(purpose, GroupPlan::BytesFor(shape, members, memory.bytes())));
  return std::unique_ptr<Plan>(std::make_unique<GroupPlan>(
      std::move(shape), *core_->meeting.machine, *shared, std::move(segment), core_->workload, core_->carrier.get(),
      [core = core_] { return core->engine->Interrupted(); },
      [core = core_](const Error& error) {
        core->engine->Fail(error);
        core->engine->PartTogether();
      }));
}

Result<int> JobCommunicator::ChangeProcessSets(Request request) {
  request.collective.name = fmt::format("headrace.process_set.{}", set_changes_++);
  HEADRACE_ASSIGN(const Handle handle, core_->engine->Enqueue(std::move(request)));
  HEADRACE_ASSIGN(const Outcome outcome, core_->engine->Synchronize(handle));
  return static_cast<int>(outcome.shape.at(0));
}

Result<int> JobCommunicator::AddProcessSet(const std::vector<int>& ranks) {
  Request request{RequestKind::kAddProcessSet, {}};
  request.collective.shape.assign(ranks.begin(), ranks.end());
  std::sort(request.collective.shape.begin(), request.collective.shape.end());
  const auto& sorted = request.collective.shape;
  if (ranks.empty() || sorted.front() < 0 || sorted.back() >= place().size ||
      std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return Fail(ErrorCode::kInvalidArgument, "process set: wanted ranks from 0 to {}, each once", place().size - 1);
  return ChangeProcessSets(std::move(request));
}

Status JobCommunicator::RemoveProcessSet(int process_set) {
  Request request{RequestKind::kRemoveProcessSet, {}};
  request.collective.process_set = process_set;
  HEADRACE_TRY(ChangeProcessSets(std::move(request)));
  return {};
}

// MPI's own end waits for all ranks and keeps a processor busy meanwhile, so ranks wait for each other asleep:
// neighbours in shared memory, which tells when one dies; then all machines, through rank 0.
Status JobCommunicator::AwaitOthers() {
  constexpr int64_t kLimit = 600'000;  // rank 0 may be writing the model
  Machine& machine = *core_->meeting.machine;
  Settings patient = core_->settings;
  patient.stall_limit_ms = std::max(core_->settings.stall_limit_ms, kLimit);
  StallWatch watch(patient, core_->clock, machine.self(), "hvd::shutdown()");
  const auto missing = [&] {
    std::vector<int> members;
    for (int member = 0; member < machine.size(); ++member)
      if (!machine.HasLeft(member)) members.push_back(member);
    return members;
  };
  HEADRACE_TRY(machine.Await(
      Bell::kPlan, [&] { return missing().empty(); },
      [&] { return watch.Check(machine.Describe(missing()), machine.index() == 0); }));
  return topology().machines.size() == 1 ? Status() : AwaitMachines(watch);
}

Status JobCommunicator::AwaitMachines(StallWatch& watch) {
  constexpr auto kNap = std::chrono::milliseconds(2);
  const std::string farewell = "farewell";  // shorter than any other message
  Transport& transport = *core_->transport;
  std::set<int> missing;  // whose farewell has not come: rank 0 waits for all, the others for rank 0
  for (int rank = 1; place().rank == 0 && rank < place().size; ++rank) missing.insert(rank);
  if (place().rank != 0) {
    missing.insert(0);
    HEADRACE_TRY(transport.Send(0, farewell));
  }
  while (!missing.empty()) {
    HEADRACE_ASSIGN(const auto message, transport.Receive());
    if (message && message->bytes == farewell) missing.erase(message->from);
    if (message) continue;
    std::this_thread::sleep_for(kNap);
    std::vector<Absent> absent;
    for (const int rank : missing) absent.push_back({rank, topology().hosts[static_cast<size_t>(rank)]});
    HEADRACE_TRY(watch.Check(absent, place().rank == 0));
  }
  for (int rank = 1; place().rank == 0 && rank < place().size; ++rank) HEADRACE_TRY(transport.Send(rank, farewell));
  return {};
}

void JobCommunicator::Shutdown() {
  if (std::exchange(shut_down_, true)) return;
  core_->engine->Shutdown();
  const bool failed = core_->engine->HasFailed();
  core_->meeting.machine->Leave(failed);
  if (core_->carrier != nullptr) core_->carrier->Stop();
  if (failed) return;
  if (const Status waited = AwaitOthers(); !waited) {
    Log(LogLevel::kError, "{}", waited.error().message());
    return;
  }
  core_->transport->Finish();
}

}  // namespace headrace::hvd
