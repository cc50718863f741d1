// A directory of this process alone, for files on their way from or to S3; it goes with the object.
#pragma once

#include <string>

namespace headrace::apps {

class ScratchDirectory {
 public:
  ScratchDirectory();  // throws where none can be made
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace headrace::apps
