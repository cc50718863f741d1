// How the ranks of one machine share its processors, whatever mpirun thinks of them.
#pragma once

#include <vector>

namespace headrace::hvd {

struct ProcessorShare {
  std::vector<int> processors;  // ascending
  bool own = true;              // no other rank has one of them
};

// One share a rank, from the processors that each may use. Ranks whose processors overlap divide them evenly,
// neighbours together where they may use the same ones; when there are fewer processors than ranks, several ranks have
// one together.
std::vector<ProcessorShare> SplitProcessors(const std::vector<std::vector<int>>& allowed);

// The calling process from now on: all its threads, and as many OpenMP threads for the calling one, or as
// OMP_NUM_THREADS says if that is fewer.
void UseProcessors(const std::vector<int>& processors);

}  // namespace headrace::hvd
