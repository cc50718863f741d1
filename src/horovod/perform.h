// PerformOn: one answer of the coordinator, done by this rank's part of the group.
#pragma once

#include <string>
#include <vector>

#include "horovod/group.h"
#include "horovod/negotiation/messages.h"

namespace headrace::hvd {

// `collectives`: this rank's of response.names, in that order; null where it has joined. One outcome each.
Result<std::vector<Outcome>> PerformOn(Group& group, const Response& response,
                                       const std::vector<const Collective*>& collectives, const std::string& what);

}  // namespace headrace::hvd
