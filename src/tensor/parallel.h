// Data parallelism inside one kernel: OpenMP threads, the same ones oneDNN uses, so that the two never compete.
// Everything here is deterministic for a given number of threads.
#pragma once

#include <cstdint>

#include <omp.h>

namespace headrace::tensor {

inline int NumThreads() { return omp_get_max_threads(); }
// For kernels that the calling thread runs from now on.
inline void SetNumThreads(int threads) { omp_set_num_threads(threads); }

// Binds the calling thread and the threads of its kernels to a processor each: the process's, counted from `first` and
// around. Without it one that wakes may be put behind the one that waits for it, for a turn of milliseconds.
void PinThreads(int first);

// Calls body(begin, end, thread) once a thread; the ranges are contiguous, in order and cover [0, count).
template <typename Body>
inline void ParallelRanges(int64_t count, const Body& body) {
  const int threads = static_cast<int>(count < NumThreads() ? (count < 1 ? 1 : count) : NumThreads());
  if (threads == 1) return body(int64_t{0}, count, 0);  // libgomp makes system calls for a team of one, too
#pragma omp parallel num_threads(threads)
  {
    const int64_t thread = omp_get_thread_num();
    const int64_t size = omp_get_num_threads();
    body(count * thread / size, count * (thread + 1) / size, static_cast<int>(thread));
  }
}

// Calls body(index, thread) for every index in [0, count); an idle thread takes the next index. Use it where an
// index writes only results of its own: then the outcome does not depend on which thread took it.
template <typename Body>
inline void ParallelDynamic(int64_t count, const Body& body) {
  if (NumThreads() == 1) {
    for (int64_t index = 0; index < count; ++index) body(index, 0);
    return;
  }
#pragma omp parallel
  {
    const int thread = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
    for (int64_t index = 0; index < count; ++index) body(index, thread);
  }
}

}  // namespace headrace::tensor
