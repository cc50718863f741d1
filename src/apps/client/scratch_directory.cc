#include "apps/client/scratch_directory.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <stdlib.h>

#include "base/result.h"

namespace headrace::apps {

ScratchDirectory::ScratchDirectory() {
  path_ = (std::filesystem::temp_directory_path() / "headrace-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr)
    throw MakeError(ErrorCode::kUnavailable, "{}: no directory could be made: {}", path_, std::strerror(errno));
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace headrace::apps
