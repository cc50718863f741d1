// One archive of several: what the hosts of a job leave becomes one model.tar.gz and one output.tar.gz.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jobs/archive/merged_names.h"

namespace headrace::jobs {

// Writes the entries of `archives`, which PackDirectory has made, as a gzip tar at `path`, which appears whole or not
// at all. Which entries it takes: merged_names.h. Those that it has left out; what is there again and the same is none.
// kUnavailable when cancelled.
Result<std::vector<LeftOut>> MergeArchives(const std::vector<std::string>& archives, const std::string& path,
                                           const std::function<bool()>& cancelled);

}  // namespace headrace::jobs
