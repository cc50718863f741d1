// What programs of every user of this machine may read: the data directory is its owner's alone.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace headrace::apps {

// Writes files below `directory`, which is made, or is the server's own already; they and the directories that they lie
// in are readable for everybody. kFailedPrecondition for a directory that others may write to: clients would believe
// what they put there.
Status PublishFiles(const std::string& directory, const std::map<std::string, std::string>& files);

}  // namespace headrace::apps
