// A glance at an archive that is not to be unpacked yet: what lies right in it, and one of its files.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

struct ArchiveGlance {
  std::set<std::string> names;      // first parts of the names of all entries
  std::optional<std::string> file;  // the wanted one's bytes, when it is a regular file
};

// `wanted`: "train.py", "src/train.py". No more than `most` bytes are looked at, unpacked: kResourceExhausted beyond.
// kDataLoss for what is no readable archive.
Result<ArchiveGlance> GlanceAtArchive(Descriptor archive, const std::string& wanted, uint64_t most);

}  // namespace headrace::jobs
