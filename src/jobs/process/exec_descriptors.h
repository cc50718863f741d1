// Which descriptors go through an exec.
#pragma once

namespace headrace::jobs {

// After fork: no descriptor from `first` on goes through the exec that follows. Sockets that libraries have opened, and
// accepted ones, are among them: not everybody opens with O_CLOEXEC.
void CloseAtExec(unsigned first);

}  // namespace headrace::jobs
