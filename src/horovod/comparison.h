// What ranks must agree on before they do something together, compared while a difference is an error message and not a
// rank that waits for ever.
#pragma once

#include <string>
#include <vector>

#include "horovod/communicator.h"

namespace headrace::hvd {

// Everyone's text, by rank. `name` names the call, the same on all ranks.
Result<std::vector<std::string>> GatherTexts(Communicator& communicator, const std::string& name,
                                             const std::string& mine);

struct Fact {
  std::string what;   // "gradient 3, conv2d_1/kernel"
  std::string value;  // "float32 (3, 3, 32, 64)"
};

// Every rank calls it with its own facts, in an order of their own making; `name` names the call, the same on all
// ranks. An error on every rank, with the same text, that names the first rank that differs from rank 0, the fact and
// both values; `remedy` is put behind it. One hash a rank travels, the facts only where hashes differ.
Status CompareAcrossRanks(Communicator& communicator, const std::string& name, const std::vector<Fact>& facts,
                          const std::string& remedy = "");

}  // namespace headrace::hvd
