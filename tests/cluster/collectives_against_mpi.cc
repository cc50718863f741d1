// collectives_against_mpi: every collective of headrace/horovod.h against what MPI itself answers, over types,
// operations and sizes. Run by mpirun; prints "rank R: N answers agree" and fails at the first difference.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <mpi.h>
#include <omp.h>
#include <sched.h>

#include "headrace/horovod.h"

namespace {

using namespace headrace;

int64_t agreed = 0;

void Fail(const std::string& what) {
  std::fprintf(stderr, "rank %d: %s differs from MPI's answer\n", hvd::rank(), what.c_str());
  MPI_Abort(MPI_COMM_WORLD, 3);
}

template <typename T>
void ExpectSame(const std::string& what, const std::vector<T>& ours, const std::vector<T>& theirs, double tolerance) {
  if (ours.size() != theirs.size()) Fail(what + ": the size");
  for (size_t i = 0; i < ours.size(); ++i)
    if (std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i])) >
        tolerance * std::abs(static_cast<double>(theirs[i])))
      Fail(what + " [" + std::to_string(i) + "]");
  ++agreed;
}

template <typename T>
std::vector<T> Values(int64_t count, int seed) {
  std::vector<T> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>((i * 31 + static_cast<size_t>(seed) * 17) % 7 + 1);
  return values;
}

template <typename T>
struct Type {
  MPI_Datatype mpi;
  const char* name;
};

const std::vector<int64_t> kSizes = {0, 1, 3, 255, 4096, 70001, 1200007};

template <typename T>
void CheckAllreduce(const Type<T>& type) {
  const struct {
    hvd::ReduceOp ours;
    MPI_Op theirs;
  } ops[] = {{hvd::ReduceOp::kSum, MPI_SUM},
             {hvd::ReduceOp::kMin, MPI_MIN},
             {hvd::ReduceOp::kMax, MPI_MAX},
             {hvd::ReduceOp::kProduct, MPI_PROD}};
  for (const int64_t count : kSizes)
    for (const auto& op : ops) {
      const auto values = Values<T>(count, hvd::rank());
      std::vector<T> theirs(values.size());
      MPI_Allreduce(values.data(), theirs.data(), static_cast<int>(count), type.mpi, op.theirs, MPI_COMM_WORLD);
      const hvd::Array ours = hvd::allreduce(hvd::Array::Of(values), {.op = op.ours});
      ExpectSame(
          std::string("allreduce of ") + type.name + " by " + hvd::NameOf(op.ours) + " over " + std::to_string(count),
          ours.values<T>(), theirs, std::is_integral_v<T> ? 0 : 1e-6);
    }
}

template <typename T>
void CheckRest(const Type<T>& type) {
  const int ranks = hvd::size(), rank = hvd::rank();
  for (const int64_t unit : {0, 1, 5, 20011}) {
    const std::string suffix = std::string(" of ") + type.name + " in units of " + std::to_string(unit);
    // Allgather: rank r has (r + 1) * unit rows.
    std::vector<int> counts, starts;
    for (int other = 0; other < ranks; ++other) {
      starts.push_back(std::accumulate(counts.begin(), counts.end(), 0));
      counts.push_back(static_cast<int>((other + 1) * unit));
    }
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    const auto rows = Values<T>((rank + 1) * unit, rank);
    std::vector<T> gathered(static_cast<size_t>(total));
    MPI_Allgatherv(rows.data(), static_cast<int>(rows.size()), type.mpi, gathered.data(), counts.data(), starts.data(),
                   type.mpi, MPI_COMM_WORLD);
    ExpectSame("allgather" + suffix, hvd::allgather(hvd::Array::Of(rows)).template values<T>(), gathered, 0);

    for (int root = 0; root < ranks; ++root) {
      auto theirs = Values<T>(unit * 3, rank);
      const hvd::Array ours = hvd::broadcast(hvd::Array::Of(theirs), root);
      MPI_Bcast(theirs.data(), static_cast<int>(theirs.size()), type.mpi, root, MPI_COMM_WORLD);
      ExpectSame("broadcast" + suffix, ours.values<T>(), theirs, 0);
    }

    // Alltoall: rank r sends (r + to) * unit rows to rank `to`.
    std::vector<int64_t> splits;
    std::vector<int> send, send_starts, receive, receive_starts;
    for (int other = 0; other < ranks; ++other) {
      send_starts.push_back(std::accumulate(send.begin(), send.end(), 0));
      receive_starts.push_back(std::accumulate(receive.begin(), receive.end(), 0));
      send.push_back(static_cast<int>((rank + other) * unit));
      receive.push_back(static_cast<int>((other + rank) * unit));
      splits.push_back((rank + other) * unit);
    }
    const auto outgoing = Values<T>(std::accumulate(splits.begin(), splits.end(), int64_t{0}), rank);
    std::vector<T> incoming(static_cast<size_t>(std::accumulate(receive.begin(), receive.end(), 0)));
    MPI_Alltoallv(outgoing.data(), send.data(), send_starts.data(), type.mpi, incoming.data(), receive.data(),
                  receive_starts.data(), type.mpi, MPI_COMM_WORLD);
    ExpectSame("alltoall" + suffix, hvd::alltoall(hvd::Array::Of(outgoing), splits).output.template values<T>(),
               incoming, 0);

    // Reducescatter: the first ranks get one row more.
    const int64_t height = unit * ranks + unit % 3;
    const auto table = Values<T>(height, rank);
    std::vector<int> shares;
    for (int other = 0; other < ranks; ++other)
      shares.push_back(static_cast<int>(height / ranks + (other < height % ranks ? 1 : 0)));
    std::vector<T> share(static_cast<size_t>(shares[static_cast<size_t>(rank)]));
    MPI_Reduce_scatter(table.data(), share.data(), shares.data(), type.mpi, MPI_SUM, MPI_COMM_WORLD);
    ExpectSame("reducescatter" + suffix,
               hvd::reducescatter(hvd::Array::Of(table), {.op = hvd::ReduceOp::kSum}).template values<T>(), share,
               std::is_integral_v<T> ? 0 : 1e-6);
  }
}

template <typename T>
void Check(MPI_Datatype mpi, const char* name) {
  const Type<T> type{mpi, name};
  CheckAllreduce(type);
  CheckRest(type);
}

void CheckPlace() {
  int rank = -1, size = -1, local_size = -1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Comm local;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &local);
  MPI_Comm_size(local, &local_size);
  MPI_Comm_free(&local);
  ExpectSame<int>("place", {hvd::rank(), hvd::size(), hvd::local_size()}, {rank, size, local_size}, 0);
  if (hvd::broadcast_object("rank " + std::to_string(rank), size - 1) != "rank " + std::to_string(size - 1))
    Fail("broadcast_object");
}

// Every processor of a machine belongs to one rank, where there are enough.
void CheckProcessors() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int32_t> own;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) own.push_back(i);
  auto all = hvd::allgather(hvd::Array::Of(own)).values<int32_t>();
  std::sort(all.begin(), all.end());
  const bool enough = std::thread::hardware_concurrency() >= static_cast<unsigned>(hvd::size());
  if (enough && std::getenv("ONE_MACHINE") != nullptr && std::adjacent_find(all.begin(), all.end()) != all.end())
    Fail("the processors of the ranks");
  if (omp_get_max_threads() != static_cast<int>(own.size()) && hvd::size() > 1 &&
      std::getenv("OMP_NUM_THREADS") == nullptr)
    Fail("OpenMP's number of threads");
}

void CheckGroups() {
  std::vector<hvd::Array> arrays;
  for (int i = 0; i < 5; ++i) arrays.push_back(hvd::Array::Of(Values<float>(100 * i, hvd::rank() + i)));
  const auto ours = hvd::grouped_allreduce(arrays);
  for (size_t i = 0; i < arrays.size(); ++i) {
    auto theirs = arrays[i].values<float>();
    MPI_Allreduce(MPI_IN_PLACE, theirs.data(), static_cast<int>(theirs.size()), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    for (float& value : theirs) value /= static_cast<float>(hvd::size());
    ExpectSame("grouped_allreduce", ours[i].values<float>(), theirs, 1e-6);
  }
}

// More elements than MPI can count in one message: `collectives_against_mpi large`, which takes 5 GB for two ranks.
void CheckLarge() {
  const int64_t count = (int64_t{1} << 31) + 4097;
  const hvd::Array array(hvd::DataType::kUInt8, {count});
  const auto wanted = [](int64_t i) { return static_cast<uint8_t>(i * 2654435761u >> 13); };
  uint8_t* values = array.data<uint8_t>();
  if (hvd::rank() == 0)
    for (int64_t i = 0; i < count; ++i) values[i] = wanted(i);
  hvd::broadcast_(array, 0);
  for (int64_t i = 0; i < count; ++i)
    if (values[i] != wanted(i)) Fail("large broadcast [" + std::to_string(i) + "]");
  hvd::allreduce_(array, {.op = hvd::ReduceOp::kSum});
  for (int64_t i = 0; i < count; ++i)
    if (values[i] != static_cast<uint8_t>(wanted(i) * hvd::size())) Fail("large allreduce [" + std::to_string(i) + "]");
  agreed += 2;
}

}  // namespace

int main(int count, char** arguments) {
  hvd::init();
  if (count > 1 && std::strcmp(arguments[1], "large") == 0) {
    CheckLarge();
    std::printf("rank %d: %lld answers agree\n", hvd::rank(), static_cast<long long>(agreed));
    return 0;
  }
  CheckPlace();
  CheckProcessors();
  Check<float>(MPI_FLOAT, "float32");
  Check<int64_t>(MPI_INT64_T, "int64");
  if (count == 1) {  // with any argument: these two alone
    Check<uint8_t>(MPI_UINT8_T, "uint8");
    Check<int8_t>(MPI_INT8_T, "int8");
    Check<uint16_t>(MPI_UINT16_T, "uint16");
    Check<int16_t>(MPI_INT16_T, "int16");
    Check<int32_t>(MPI_INT32_T, "int32");
    Check<double>(MPI_DOUBLE, "float64");
  }
  CheckGroups();
  hvd::barrier();
  std::printf("rank %d: %lld answers agree\n", hvd::rank(), static_cast<long long>(agreed));
}
