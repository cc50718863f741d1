#include "jobs/process/find_program.h"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

namespace headrace::jobs {

Result<std::string> FindProgram(const std::string& name) {
  namespace fs = std::filesystem;
  if (name.find('/') != std::string::npos) {
    if (::access(name.c_str(), X_OK) == 0) return fs::absolute(name).lexically_normal().string();
    return Fail(ErrorCode::kNotFound, "there is no program {}", name);
  }
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  for (size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const auto candidate = path.substr(begin, end - begin) + "/" + name;
    // Relative entries mean something else in every directory.
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0 && !fs::is_directory(candidate))
      return candidate;
    begin = end + 1;
  }
  return Fail(ErrorCode::kNotFound, "there is no program {} in {}", name, path);
}

}  // namespace headrace::jobs
