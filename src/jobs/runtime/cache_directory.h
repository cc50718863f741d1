// CacheDirectory: a directory of things that jobs made and later jobs use, by key. Nobody but this process's user may
// write there: what is found in it is run.
#pragma once

#include <functional>
#include <string>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

// Makes `cache`/`name`, where they are not there. A cache of this user's that others may write to loses what `name`
// has, and is closed to them; one of another user's is an error.
Result<HeldDirectory> OpenCacheDirectory(const std::string& cache, const std::string& name);

// Waits for whoever makes the same thing now. kUnavailable when cancelled.
Result<Descriptor> LockKey(const HeldDirectory& directory, const std::string& key,
                           const std::function<bool()>& cancelled);

}  // namespace headrace::jobs
