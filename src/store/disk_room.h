// DiskRoom: whether the disk below a path has room for more.
//
// A part of it is left for what must succeed on a full disk: deletes, and the ends of jobs. Whatever grows is refused
// before that part is touched.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace headrace::store {

class DiskRoom {
 public:
  explicit DiskRoom(std::string path) : path_(std::move(path)) {}

  // kResourceExhausted, with the numbers and what to do, when no more than the part that is left alone is free. True
  // also where the file system does not say.
  Status Check() const;
  // How large that part is: a 64th of the file system, within 4 and 64 MiB. 0 where the file system does not say.
  uint64_t LeftAlone() const;

 private:
  const std::string path_;
};

}  // namespace headrace::store
