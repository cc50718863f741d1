// What a message and a byte cost between two ranks that mpirun starts: one JSON line. Ping-pong of 64 bytes and of 1
// MiB by MPI itself, which is what carries buckets between machines.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include <mpi.h>

namespace {

// One way, the median of many.
double Seconds(int rank, size_t bytes, int rounds) {
  std::vector<char> data(bytes);
  std::vector<double> times;
  const int count = static_cast<int>(bytes);
  for (int round = 0; round < rounds; ++round) {
    MPI_Barrier(MPI_COMM_WORLD);
    const auto start = std::chrono::steady_clock::now();
    if (rank == 0) MPI_Send(data.data(), count, MPI_CHAR, 1, 0, MPI_COMM_WORLD);
    MPI_Recv(data.data(), count, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1) MPI_Send(data.data(), count, MPI_CHAR, 0, 0, MPI_COMM_WORLD);
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 2);
  }
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  return times[static_cast<size_t>(rounds / 2)];
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const double small = Seconds(rank, 64, 1000), large = Seconds(rank, 1 << 20, 200);
  if (rank == 0)
    std::printf("{\"seconds_per_message\": %.3g, \"seconds_per_byte\": %.3g}\n", small, (large - small) / (1 << 20));
  MPI_Finalize();
}
