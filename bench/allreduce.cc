// bench_allreduce: one allreduce of float32 values, ours beside MPI_Allreduce and Gloo, in turns within one run of
// mpirun. Usage: mpirun -np N bench_allreduce SECONDS_A_SIZE WAY,WAY... BYTES...; "all" is all ways. Rank 0 prints one
// JSON object a line: {"bytes", "way", "median_us", "min_us"}. bench/allreduce.py runs it and makes the table.
//
// Values are written anew before each round, by the rank that owns them, as backward does. A round's time is the
// slowest rank's. Below 64 KiB a round is many allreduces, one behind the other.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <mpi.h>

#include "headrace/horovod.h"

#include "horovod/world.h"
#ifdef HEADRACE_BENCH_GLOO
#include <gloo/allreduce.h>
#include <gloo/math.h>
#include <gloo/rendezvous/context.h>
#include <gloo/rendezvous/file_store.h>
#include <gloo/transport/tcp/device.h>
#endif

namespace {

using namespace headrace;
using Clock = std::chrono::steady_clock;

// One way to reduce `count` values, which `input` holds.
struct Way {
  std::string name;
  float* input;
  std::function<void()> reduce;
};

template <typename T>
T Must(Result<T> result) {
  return ValueOrThrow(std::move(result));
}

// Values and plan of this process's own memory plane.
class Planned {
 public:
  explicit Planned(int64_t count)
      : memory_(Must(hvd::World().Allocate(static_cast<size_t>(count) * sizeof(float)))),
        plan_(Must(hvd::World().MakePlan(*memory_, {{"values", 0, count}}, {.name = "bench"}))) {}
  float* input() { return reinterpret_cast<float*>(memory_->data()); }
  void Reduce() {
    Must(plan_->Start(0));
    Must(plan_->Wait(0));
  }

 private:
  std::unique_ptr<hvd::SharedMemory> memory_;
  std::unique_ptr<hvd::Plan> plan_;
};

#ifdef HEADRACE_BENCH_GLOO
std::shared_ptr<gloo::Context> GlooContext() {
  std::string directory = hvd::rank() == 0 ? "/tmp/headrace-bench-gloo-XXXXXX" : "";
  if (hvd::rank() == 0 && ::mkdtemp(directory.data()) == nullptr) std::abort();
  directory = hvd::broadcast_object(directory, 0);
  gloo::rendezvous::FileStore store(directory);
  auto context = std::make_shared<gloo::rendezvous::Context>(hvd::rank(), hvd::size());
  gloo::transport::tcp::attr attributes;
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  attributes.iface = interface == nullptr ? "lo" : interface;
  auto device = gloo::transport::tcp::CreateDevice(attributes);
  context->connectFullMesh(store, device);
  return context;
}

void GlooAllreduce(const std::shared_ptr<gloo::Context>& context, std::vector<float>& values) {
  gloo::AllreduceOptions options(context);
  options.setOutput(values.data(), values.size());
  options.setReduceFunction(static_cast<void (*)(void*, const void*, const void*, size_t)>(&gloo::sum<float>));
  gloo::allreduce(options);
}
#endif

double SlowestRank(double seconds) {
  double slowest = 0;
  MPI_Allreduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return slowest;
}

double Round(const Way& way, int64_t count, int repeats) {
  for (int64_t i = 0; i < count; ++i) way.input[i] = static_cast<float>(i % 100);
  MPI_Barrier(MPI_COMM_WORLD);
  const auto start = Clock::now();
  for (int i = 0; i < repeats; ++i) way.reduce();
  return SlowestRank(std::chrono::duration<double>(Clock::now() - start).count() / repeats);
}

void Measure(size_t bytes, double seconds, const std::vector<Way>& ways) {
  const auto count = static_cast<int64_t>(bytes / sizeof(float));
  const int repeats = bytes < (64 << 10) ? 200 : 1;
  std::vector<std::vector<double>> times(ways.size());
  for (const Way& way : ways) Round(way, count, repeats);
  int more = 1;
  for (const auto start = Clock::now(); more != 0;) {
    for (size_t i = 0; i < ways.size(); ++i) times[i].push_back(Round(ways[i], count, repeats));
    more = std::chrono::duration<double>(Clock::now() - start).count() < seconds || times[0].size() < 5 ? 1 : 0;
    MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
  }
  if (hvd::rank() != 0) return;
  for (size_t i = 0; i < ways.size(); ++i) {
    std::sort(times[i].begin(), times[i].end());
    std::printf("{\"bytes\": %zu, \"way\": \"%s\", \"median_us\": %.3f, \"min_us\": %.3f}\n", bytes,
                ways[i].name.c_str(), times[i][times[i].size() / 2] * 1e6, times[i].front() * 1e6);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  hvd::init();
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  const std::string wanted = fmt::format(",{},", argc > 2 ? argv[2] : "all");
#ifdef HEADRACE_BENCH_GLOO
  const auto gloo_context = GlooContext();
#endif
  for (int i = 3; i < argc; ++i) {
    const size_t bytes = std::strtoull(argv[i], nullptr, 10);
    const auto count = static_cast<int64_t>(bytes / sizeof(float));
    Planned planned(count);
    const auto size = static_cast<size_t>(count);
    std::vector<float> named(size), sent(size), received(size), gloo_values(size);
    const hvd::Array array(Tensor::View(DType::kFloat32, {count}, named.data(), nullptr));
    const std::string name = "values " + std::to_string(bytes);  // the same again and again, as in training
    std::vector<Way> ways = {
        {"planned", planned.input(), [&] { planned.Reduce(); }},
        {"MPI_Allreduce", sent.data(),
         [&] {
           MPI_Allreduce(sent.data(), received.data(), static_cast<int>(count), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
         }},
        // What planned moves in place: each rank reads a slice of everybody's values and writes it back to all.
        {"copy of as many bytes", sent.data(), [&] { std::memcpy(received.data(), sent.data(), bytes); }},
        {"named", named.data(), [&] { hvd::allreduce_(array, {.name = name}); }},
    };
    // What no sum of two ranks can be faster than between machines: both sides' values, which nobody adds up.
    if (hvd::size() == 2)
      ways.push_back({"MPI_Sendrecv", sent.data(), [&] {
                        const int values = static_cast<int>(count), other = 1 - hvd::rank();
                        MPI_Sendrecv(sent.data(), values, MPI_FLOAT, other, 7, received.data(), values, MPI_FLOAT,
                                     other, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
                      }});
#ifdef HEADRACE_BENCH_GLOO
    ways.push_back({"Gloo", gloo_values.data(), [&] { GlooAllreduce(gloo_context, gloo_values); }});
#endif
    if (wanted != ",all,")
      std::erase_if(ways, [&](const Way& way) { return wanted.find("," + way.name + ",") == std::string::npos; });
    Measure(bytes, seconds, ways);
  }
}
