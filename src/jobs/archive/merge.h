// One archive of several: what the hosts of a job leave becomes one model.tar.gz and one output.tar.gz.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace headrace::jobs {

// Writes the entries of `archives`, which PackDirectory has made, as a gzip tar at `path`, which appears whole or not
// at all. Of entries with the same name the first one found stays. The names, without directories, that were found
// again.
Result<std::vector<std::string>> MergeArchives(const std::vector<std::string>& archives, const std::string& path);

}  // namespace headrace::jobs
