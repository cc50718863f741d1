// Mounts that only one process and those it starts see, for jobs without a sandbox.
#pragma once

namespace headrace::jobs {

// Whether this process may give a child mounts of its own (Command::binds): root may, unless its container forbids it.
bool CanMountPrivately();

}  // namespace headrace::jobs
