// What the files of a version's directory look like from outside, to see that somebody is still copying them.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace headrace::serving {

// A number that changes when a file below `directory` comes, goes, grows or is written. Opens no file and follows no
// link below the directory, so that nothing in it can block or lead in a circle. Very many files are looked at in part.
uint64_t FingerprintOf(const std::string& directory);

// That all below `directory` are ordinary files and directories, behind links, too: for libraries that open what they
// find there and would wait for a FIFO.
Status RequireOrdinaryFiles(const std::string& directory);

}  // namespace headrace::serving
