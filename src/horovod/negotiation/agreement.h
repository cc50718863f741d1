// Whether the wishes of the ranks for one collective go together.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "horovod/negotiation/messages.h"

namespace headrace::hvd {

struct Disagreed {
  std::string what, first, second;  // "dtype", "float32", "int64"
};

// The first field in which two ranks differ that must not.
std::optional<Disagreed> Difference(const Request& first, const Request& second);

// Why a collective cannot be done although the ranks agree, or nothing. `ranks`: of its process set; `joined`: who has
// called join and takes part with zeros.
std::optional<std::string> Impossible(const Request& request, const std::map<int, Request>& by_rank,
                                      const std::vector<int>& ranks, const std::map<int, Request>& joined,
                                      const std::function<std::string(int)>& name_of_rank);

}  // namespace headrace::hvd
