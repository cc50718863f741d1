// UnpackedTree: writes what an archive's entries tell of, below a directory, and counts what it makes. Names are those
// of the archive, without slashes at their ends; nothing is ever written through a link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/beneath.h"
#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

class UnpackedTree {
 public:
  // At most `most` files and directories are made.
  UnpackedTree(const HeldDirectory& root, uint64_t most) : root_(root), most_(most) {}

  Status MakeDirectory(const std::string& name);
  // A new, empty file; one of that name is replaced.
  Result<Descriptor> MakeFile(const std::string& name);
  Status MakeLink(const std::string& name, const std::string& target);
  // `existing` is a regular file of the tree.
  Status MakeHardLink(const std::string& name, const std::string& existing);

 private:
  // The directory that is to hold `name`, made if need be.
  Result<const HeldDirectory*> ParentOf(std::string_view name);
  Status Count(uint64_t made);

  const HeldDirectory& root_;
  const uint64_t most_;
  uint64_t made_ = 0;
  std::optional<HeldDirectory> parent_;  // of the last entry: the next one is often its neighbour
  std::string parent_name_;
};

}  // namespace headrace::jobs
