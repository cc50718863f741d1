// How many descriptors (files, sockets) this process may have open: RLIMIT_NOFILE.
#pragma once

#include <cstddef>

namespace headrace {

size_t DescriptorLimit();  // now

// Raises the soft limit to the hard one, which needs no privilege, and returns it. Idempotent.
size_t RaiseDescriptorLimit();
// For a child, before it executes a program: the soft limit that this process was started with. Programs that use
// select() count on it. Safe after vfork.
void GiveBackDescriptorLimit();

}  // namespace headrace
