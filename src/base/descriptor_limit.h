// How many descriptors (files, sockets) this process may have open: RLIMIT_NOFILE.
#pragma once

#include <cstddef>

namespace headrace {

size_t DescriptorLimit();  // now

// Raises the soft limit to the hard one, which needs no privilege, and returns it. Processes that are forked from then
// on get back the soft limit that this one was started with: programs that use select() count on it. Idempotent.
size_t RaiseDescriptorLimit();

}  // namespace headrace
