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
#include <type_traits>
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

// `tolerance`: relative.
template <typename T>
void ExpectSame(const std::string& what, const std::vector<T>& ours, const std::vector<T>& theirs, double tolerance) {
  if (ours.size() != theirs.size()) Fail(what + ": the size");
  for (size_t i = 0; i < ours.size(); ++i)
    if (std::abs(static_cast<double>(ours[i]) - static_cast<double>(theirs[i])) >
        tolerance * std::abs(static_cast<double>(theirs[i])))
      Fail(what + " [" + std::to_string(i) + "]");
  ++agreed;
}

// MPI's own reduction of all ranks' values; with `shares`, the number of values of each rank, this rank's share of it.
template <typename T>
std::vector<T> Reduced(const std::vector<T>& values, MPI_Datatype type, MPI_Op op, const std::vector<int>& shares) {
  std::vector<T> all(shares.empty() ? values.size() : static_cast<size_t>(shares[static_cast<size_t>(hvd::rank())]));
  if (shares.empty())
    MPI_Allreduce(values.data(), all.data(), static_cast<int>(values.size()), type, op, MPI_COMM_WORLD);
  else
    MPI_Reduce_scatter(values.data(), all.data(), shares.data(), type, op, MPI_COMM_WORLD);
  return all;
}

MPI_Op OpOf(hvd::ReduceOp op) {
  return op == hvd::ReduceOp::kSum   ? MPI_SUM
         : op == hvd::ReduceOp::kMin ? MPI_MIN
         : op == hvd::ReduceOp::kMax ? MPI_MAX
                                     : MPI_PROD;
}

// A type that MPI has. Each kind of type says what a value of it is, how MPI moves it, what MPI makes of a reduction,
// and as what and how exactly both answers are compared.
template <typename T>
struct Plain {
  using Value = T;
  hvd::DataType dtype;
  MPI_Datatype mpi;

  T Make(size_t number) const { return static_cast<T>(number); }
  std::vector<T> Reduce(const std::vector<T>& values, hvd::ReduceOp op, const std::vector<int>& shares) const {
    return Reduced(values, mpi, OpOf(op), shares);
  }
  const std::vector<T>& Shown(const std::vector<T>& values) const { return values; }
  double Tolerance(hvd::ReduceOp) const { return std::is_integral_v<T> ? 0 : 1e-6; }
};

// MPI's logical or and and, in the place of sum and maximum, of product and minimum.
struct Bools {
  using Value = uint8_t;
  const hvd::DataType dtype = hvd::DataType::kBool;
  const MPI_Datatype mpi = MPI_C_BOOL;

  uint8_t Make(size_t number) const { return number % 3 == 0; }
  std::vector<uint8_t> Reduce(const std::vector<uint8_t>& values, hvd::ReduceOp op,
                              const std::vector<int>& shares) const {
    const bool either = op == hvd::ReduceOp::kSum || op == hvd::ReduceOp::kMax;
    return Reduced(values, mpi, either ? MPI_LOR : MPI_LAND, shares);
  }
  const std::vector<uint8_t>& Shown(const std::vector<uint8_t>& values) const { return values; }
  double Tolerance(hvd::ReduceOp) const { return 0; }
};

// float16 and bfloat16: MPI reduces them as float32, and what it makes of them is rounded to nearest even once, as
// docs/horovod.md says. Values have all digits of the type.
struct Halves {
  using Value = uint16_t;
  hvd::DataType dtype;
  int digits, bias;  // of the mantissa, of the exponent
  const MPI_Datatype mpi = MPI_UINT16_T;

  float Rounded(float value) const {
    if (value == 0) return 0;
    const int last = std::max(std::ilogb(value), 1 - bias) - digits;  // the exponent of the last digit
    return std::ldexp(std::nearbyint(std::ldexp(value, -last)), last);
  }
  // Of positive normal numbers that the type has.
  uint16_t Bits(float value) const {
    const int exponent = std::ilogb(value);
    const auto mantissa = static_cast<int>(std::ldexp(value, digits - exponent)) - (1 << digits);
    return static_cast<uint16_t>(((exponent + bias) << digits) | mantissa);
  }
  float Of(uint16_t bits) const {
    return std::ldexp(static_cast<float>((bits & ((1 << digits) - 1)) + (1 << digits)),
                      (bits >> digits) - bias - digits);
  }

  uint16_t Make(size_t number) const { return Bits(Rounded(static_cast<float>(number) / 9)); }
  std::vector<uint16_t> Reduce(const std::vector<uint16_t>& values, hvd::ReduceOp op,
                               const std::vector<int>& shares) const {
    std::vector<uint16_t> rounded;
    for (const float value : ::Reduced(Shown(values), MPI_FLOAT, OpOf(op), shares))
      rounded.push_back(Bits(Rounded(value)));
    return rounded;
  }
  std::vector<float> Shown(const std::vector<uint16_t>& values) const {
    std::vector<float> shown;
    for (const uint16_t value : values) shown.push_back(Of(value));
    return shown;
  }
  // The sum of a machine's ranks is rounded before it travels: once more where there are several on several machines.
  // A product of three values has more digits than float32, which is then rounded twice.
  double Tolerance(hvd::ReduceOp op) const {
    const bool once = std::getenv("ONE_MACHINE") != nullptr || (hvd::is_homogeneous() && hvd::local_size() == 1);
    if (once && (op != hvd::ReduceOp::kProduct || hvd::size() <= 2)) return 0;
    return std::ldexp(1.0, -digits);
  }
};

template <typename Type>
std::vector<typename Type::Value> Values(const Type& type, int64_t count, int seed) {
  std::vector<typename Type::Value> values;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i)
    values.push_back(type.Make((i * 31 + static_cast<size_t>(seed) * 17) % 7 + 1));
  return values;
}

template <typename Type>
hvd::Array ArrayOf(const Type& type, const std::vector<typename Type::Value>& values) {
  hvd::Array array(type.dtype, {static_cast<int64_t>(values.size())});
  if (!values.empty()) std::memcpy(array.raw(), values.data(), array.bytes());
  return array;
}

const std::vector<int64_t> kSizes = {0, 1, 3, 255, 4096, 70001, 1200007};

template <typename Type>
void CheckAllreduce(const Type& type) {
  for (const int64_t count : kSizes)
    for (const auto op : {hvd::ReduceOp::kSum, hvd::ReduceOp::kMin, hvd::ReduceOp::kMax, hvd::ReduceOp::kProduct}) {
      const auto values = Values(type, count, hvd::rank());
      const auto ours = hvd::allreduce(ArrayOf(type, values), {.op = op});
      ExpectSame(std::string("allreduce of ") + hvd::NameOf(type.dtype) + " by " + hvd::NameOf(op) + " over " +
                     std::to_string(count),
                 type.Shown(ours.template values<typename Type::Value>()), type.Shown(type.Reduce(values, op, {})),
                 type.Tolerance(op));
    }
}

template <typename Type>
void CheckRest(const Type& type) {
  using T = typename Type::Value;
  const int ranks = hvd::size(), rank = hvd::rank();
  for (const int64_t unit : {0, 1, 5, 20011}) {
    const std::string suffix = std::string(" of ") + hvd::NameOf(type.dtype) + " in units of " + std::to_string(unit);
    // Allgather: rank r has (r + 1) * unit rows.
    std::vector<int> counts, starts;
    for (int other = 0; other < ranks; ++other) {
      starts.push_back(std::accumulate(counts.begin(), counts.end(), 0));
      counts.push_back(static_cast<int>((other + 1) * unit));
    }
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    const auto rows = Values(type, (rank + 1) * unit, rank);
    std::vector<T> gathered(static_cast<size_t>(total));
    MPI_Allgatherv(rows.data(), static_cast<int>(rows.size()), type.mpi, gathered.data(), counts.data(), starts.data(),
                   type.mpi, MPI_COMM_WORLD);
    ExpectSame("allgather" + suffix, hvd::allgather(ArrayOf(type, rows)).template values<T>(), gathered, 0);

    for (int root = 0; root < ranks; ++root) {
      auto theirs = Values(type, unit * 3, rank);
      const hvd::Array ours = hvd::broadcast(ArrayOf(type, theirs), root);
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
    const auto outgoing = Values(type, std::accumulate(splits.begin(), splits.end(), int64_t{0}), rank);
    std::vector<T> incoming(static_cast<size_t>(std::accumulate(receive.begin(), receive.end(), 0)));
    MPI_Alltoallv(outgoing.data(), send.data(), send_starts.data(), type.mpi, incoming.data(), receive.data(),
                  receive_starts.data(), type.mpi, MPI_COMM_WORLD);
    ExpectSame("alltoall" + suffix, hvd::alltoall(ArrayOf(type, outgoing), splits).output.template values<T>(),
               incoming, 0);

    // Reducescatter: the first ranks get one row more.
    const int64_t height = unit * ranks + unit % 3;
    const auto table = Values(type, height, rank);
    std::vector<int> shares;
    for (int other = 0; other < ranks; ++other)
      shares.push_back(static_cast<int>(height / ranks + (other < height % ranks ? 1 : 0)));
    ExpectSame("reducescatter" + suffix,
               type.Shown(hvd::reducescatter(ArrayOf(type, table), {.op = hvd::ReduceOp::kSum}).template values<T>()),
               type.Shown(type.Reduce(table, hvd::ReduceOp::kSum, shares)), type.Tolerance(hvd::ReduceOp::kSum));
  }
}

template <typename Type>
void Check(const Type& type) {
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
  const Plain<float> floats{hvd::DataType::kFloat32, MPI_FLOAT};
  for (int i = 0; i < 5; ++i) arrays.push_back(ArrayOf(floats, Values(floats, 100 * i, hvd::rank() + i)));
  const auto ours = hvd::grouped_allreduce(arrays);
  for (size_t i = 0; i < arrays.size(); ++i) {
    auto theirs = arrays[i].values<float>();
    MPI_Allreduce(MPI_IN_PLACE, theirs.data(), static_cast<int>(theirs.size()), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    for (float& value : theirs) value /= static_cast<float>(hvd::size());
    ExpectSame("grouped_allreduce", ours[i].values<float>(), theirs, 1e-6);
  }
}

// What repeats under a name takes another way, which a rank that asks for another size ends.
void CheckRepeated() {
  const Plain<float> floats{hvd::DataType::kFloat32, MPI_FLOAT};
  for (const int64_t count : {1, 1000, 16384, 40000})
    for (int round = 0; round < 25; ++round) {
      const auto values = Values(floats, round % 20 == 19 ? count / 2 : count, hvd::rank() + round);
      const auto ours = hvd::allreduce(ArrayOf(floats, values),
                                       {.name = "again " + std::to_string(count), .op = hvd::ReduceOp::kSum});
      ExpectSame("repeated allreduce", ours.values<float>(), floats.Reduce(values, hvd::ReduceOp::kSum, {}), 1e-6);
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
  using hvd::DataType;
  Check(Plain<float>{DataType::kFloat32, MPI_FLOAT});
  Check(Plain<int64_t>{DataType::kInt64, MPI_INT64_T});
  Check(Bools());
  Check(Halves{.dtype = DataType::kFloat16, .digits = 10, .bias = 15});
  Check(Halves{.dtype = DataType::kBFloat16, .digits = 7, .bias = 127});
  if (count == 1) {  // with any argument: the ones above alone
    Check(Plain<uint8_t>{DataType::kUInt8, MPI_UINT8_T});
    Check(Plain<int8_t>{DataType::kInt8, MPI_INT8_T});
    Check(Plain<uint16_t>{DataType::kUInt16, MPI_UINT16_T});
    Check(Plain<int16_t>{DataType::kInt16, MPI_INT16_T});
    Check(Plain<int32_t>{DataType::kInt32, MPI_INT32_T});
    Check(Plain<double>{DataType::kFloat64, MPI_DOUBLE});
  }
  CheckGroups();
  CheckRepeated();
  hvd::barrier();
  std::printf("rank %d: %lld answers agree\n", hvd::rank(), static_cast<long long>(agreed));
}
