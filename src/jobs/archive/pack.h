// Packing of what a job leaves: model.tar.gz and output.tar.gz.
#pragma once

#include <string>

#include "base/result.h"

namespace headrace::jobs {

// Whether there is anything to pack below `directory`.
bool HasEntries(const std::string& directory);

// Writes the contents of `directory` as a gzip tar at `archive`, names relative to the directory, in order. Links are
// stored as links, special files are left out. The archive appears whole or not at all.
Status PackDirectory(const std::string& directory, const std::string& archive);

// Copies the regular files below `directory` to `target`, for artifacts that are not to be archived. Links are left
// out.
Status CopyTree(const std::string& directory, const std::string& target);

}  // namespace headrace::jobs
