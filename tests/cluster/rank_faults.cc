// rank_faults: programs in which something goes wrong with one rank, for test_faults.py. Run by mpirun as
// `rank_faults CASE`; the last rank is the one that misbehaves. Each rank prints what it got as "rank R: ...".
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "headrace/horovod.h"

#include "horovod/world.h"

namespace {

using namespace headrace;

int own_rank = 0;

bool Misbehaves() { return hvd::rank() == hvd::size() - 1; }

void Report(const std::string& text) {
  std::printf("rank %d: %s\n", own_rank, text.c_str());
  std::fflush(stdout);
}

// Prints the error of `call`, or that there was none.
void ReportError(const std::function<void()>& call) {
  try {
    call();
    Report("no error");
  } catch (const Error& error) {
    Report(error.message());
  }
}

void Mismatches() {
  const bool other = Misbehaves();
  const hvd::Array floats(hvd::DataType::kFloat32, {4, 2}), doubles(hvd::DataType::kFloat64, {4, 2}),
      longer(hvd::DataType::kFloat32, {5, 2}), wider(hvd::DataType::kFloat32, {4, 3});
  ReportError([&] { hvd::allreduce(other ? doubles : floats, {.name = "dtype"}); });
  ReportError([&] { hvd::allreduce(other ? longer : floats, {.name = "shape"}); });
  ReportError([&] { hvd::allreduce(floats, {.name = "op", .op = other ? hvd::ReduceOp::kMax : hvd::ReduceOp::kSum}); });
  ReportError([&] { hvd::broadcast(floats, other ? 1 : 0, {.name = "root"}); });
  ReportError([&] { hvd::allgather(other ? wider : floats, {.name = "columns"}); });
  ReportError([&] {
    if (other)
      hvd::allgather(floats, {.name = "kind"});
    else
      hvd::allreduce(floats, {.name = "kind"});
  });
  ReportError([&] { hvd::allreduce(floats, {.name = "all agree"}); });
}

void SameNameTwice() {
  const hvd::Array array(hvd::DataType::kFloat32, {1});
  const auto handle = hvd::allreduce_async(array, {.name = "twice"});
  ReportError([&] {
    // The first is over as soon as all ranks have asked for it: the other ranks wait until this one has asked again.
    if (Misbehaves()) hvd::allreduce_async(array, {.name = "later"});
    if (Misbehaves()) hvd::synchronize(hvd::allreduce_async(array, {.name = "later"}));
  });
  hvd::synchronize(handle);
}

// Planned steps; at step 3 the last rank does something else.
void Planned(const std::function<void()>& instead) {
  const auto memory = ValueOrThrow(hvd::World().Allocate(1 << 20));
  const auto plan = ValueOrThrow(hvd::World().MakePlan(*memory, {{"dense", 0, 200000}}, {.name = "gradients"}));
  ReportError([&] {
    for (int step = 0; step < 6; ++step) {
      hvd::World().Tell("in batch " + std::to_string(step));
      if (step == 3 && Misbehaves()) return instead();
      ValueOrThrow(plan->Start(0));
      ValueOrThrow(plan->Wait(0));
    }
  });
}

// Planned steps for as long as nothing is wrong, two minutes at most: for tests that do something to the network. As in
// a training program the error is nobody's to catch.
void Steps() {
  const auto memory = ValueOrThrow(hvd::World().Allocate(1 << 20));
  const auto plan = ValueOrThrow(hvd::World().MakePlan(*memory, {{"dense", 0, 200000}}, {.name = "gradients"}));
  try {
    for (int step = 0; step < 12000; ++step) {
      hvd::World().Tell("in batch " + std::to_string(step));
      ValueOrThrow(plan->Start(0));
      ValueOrThrow(plan->Wait(0));
      if (step == 10) Report("ten steps");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  } catch (const Error& error) {
    Report(error.message());
    throw;
  }
}

void Named(const std::function<void()>& instead) {
  const hvd::Array array(hvd::DataType::kFloat32, {1000});
  ReportError([&] {
    if (Misbehaves()) return instead();
    hvd::allreduce(array, {.name = "loss"});
  });
}

void Sleep() { std::this_thread::sleep_for(std::chrono::seconds(20)); }
void Kill() { ::kill(::getpid(), SIGKILL); }
void Abort() {
  hvd::World().Abort("record 7 is corrupt");
  throw MakeError(ErrorCode::kDataLoss, "record 7 is corrupt");
}
void Stop() { ::kill(::getpid(), SIGSTOP); }

void Join() {
  int batches = 0;
  for (int batch = 0; batch < 3 + 2 * hvd::rank(); ++batch, ++batches)
    hvd::allreduce(hvd::Array::Of(std::vector<float>{1}), {.name = "batch " + std::to_string(batch)});
  if (Misbehaves()) {
    const hvd::Array array(hvd::DataType::kFloat32, {1});
    ReportError([&] { hvd::allgather(array, {.name = "late"}); });
  }
  const int last = hvd::join();
  Report(std::to_string(batches) + " batches, last joined " + std::to_string(last));
}

}  // namespace

int main(int, char** argv) {
  const std::map<std::string, std::function<void()>> cases = {
      {"mismatch", Mismatches},
      {"same_name", SameNameTwice},
      {"planned_missing", [] { Planned(Sleep); }},
      {"planned_killed", [] { Planned(Kill); }},
      {"planned_stopped", [] { Planned(Stop); }},
      {"planned_aborted", [] { Planned(Abort); }},
      {"planned_shutdown", [] { Planned(hvd::shutdown); }},
      {"steps", Steps},
      {"named_missing", [] { Named(Sleep); }},
      {"named_killed", [] { Named(Kill); }},
      {"named_stopped", [] { Named(Stop); }},
      {"named_aborted", [] { Named(Abort); }},
      {"named_shutdown", [] { Named(hvd::shutdown); }},
      {"join", Join},
  };
  hvd::init();
  own_rank = hvd::rank();
  cases.at(argv[1])();
  Report("done");
}
