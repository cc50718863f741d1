// Sockets with a path: for servers that only processes of this machine, and of them only those that see the path, may
// ask. Paths may be longer than the 107 bytes that the kernel's addresses hold.
#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::http {

// Listens at `path` for this user alone. The socket appears under its name when it takes connections, and replaces one
// that nobody listens at any more; kUnavailable when somebody does.
Result<Descriptor> ListenAtPath(const std::string& path);

// A connection to who listens at `path`, non-blocking. A symbolic link there is refused: whoever may write to the
// directory is not to choose whom this process speaks to. kUnavailable.
Result<Descriptor> ConnectToPath(const std::string& path);

}  // namespace headrace::http
