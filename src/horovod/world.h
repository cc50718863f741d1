// The ranks that this process is one of, between hvd::init() and hvd::shutdown().
#pragma once

#include "horovod/communicator.h"

namespace headrace::hvd {

// Throws kFailedPrecondition before init() and after shutdown().
Communicator& World();

}  // namespace headrace::hvd
