// The supervisors' side of launch doors.
#pragma once

#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

// A listening socket `directory`/`host`. Whoever sees its name may connect from when this returns on; the door's own
// process, which gets the descriptor, lets them in as soon as it runs.
Result<Descriptor> MakeDoor(const std::string& directory, const std::string& host);

// The connection of the one who watches: the door closes when it ends. kNotFound while there is no door.
Result<Descriptor> WatchDoor(const std::string& directory, const std::string& host);

}  // namespace headrace::jobs
