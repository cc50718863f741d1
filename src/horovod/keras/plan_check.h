// What ranks must agree on before they train together, compared while a difference is an error message and not a rank
// that waits for ever.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "horovod/communicator.h"

namespace headrace::hvd {

struct PlanEntry {
  std::string what;   // "gradient 3, conv2d_1/kernel"
  std::string value;  // "float32 (3, 3, 32, 64)"
};

// Every rank calls it with its own entries, in an order of their own making; `name` names the call, the same on all
// ranks. An error on every rank, with the same text, that names the first rank that differs from rank 0, the entry and
// both values; `remedy` is put behind it. One hash a rank travels, the entries only where hashes differ.
Status CompareAcrossRanks(Communicator& communicator, const std::string& name, const std::vector<PlanEntry>& entries,
                          const std::string& remedy);

// The first difference between two ranks' entries, or "" (for tests, and for those who have both).
std::string Difference(int rank, const std::vector<PlanEntry>& of_rank, const std::vector<PlanEntry>& of_root);

}  // namespace headrace::hvd
