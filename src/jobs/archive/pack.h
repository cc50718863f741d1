// Packing of what a job leaves: model.tar.gz and output.tar.gz.
#pragma once

#include <string>

#include "base/beneath.h"
#include "base/result.h"

namespace headrace::jobs {

// Writes the contents of `directory` as a gzip tar at `archive`, names relative to the directory, each directory before
// what is in it. Links are stored as links, holes of files as holes; special files and what a killed process has left
// of an AtomicFile are left out; nothing is read but what lies in the directory, whatever its depth. The archive
// appears whole or not at all.
//
// `limits.bytes` bounds what is read: kInvalidArgument beyond. kUnavailable when cancelled.
Status PackDirectory(const HeldDirectory& directory, const std::string& archive, const TreeLimits& limits = {});
Status PackDirectory(const std::string& directory, const std::string& archive);

}  // namespace headrace::jobs
