#include <algorithm>

#include <fmt/format.h>
#include <glob.h>

#include "base/result.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

std::vector<std::string> Matches(const std::string& pattern) {
  glob_t found{};
  const int status = glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> files;
  for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  return files;
}

}  // namespace

Dataset Dataset::ListFiles(const std::string& pattern, ListFilesOptions options) {
  return ListFiles(std::vector<std::string>{pattern}, options);
}

Dataset Dataset::ListFiles(const std::vector<std::string>& patterns, ListFilesOptions options) {
  std::vector<std::string> files;
  for (const std::string& pattern : patterns)
    for (std::string& file : Matches(pattern)) files.push_back(std::move(file));
  if (files.empty())
    throw MakeError(ErrorCode::kNotFound, "ListFiles: found no file that matches one of [{}], wanted one or more",
                    fmt::join(patterns, ", "));
  std::sort(files.begin(), files.end());
  const auto count = static_cast<int64_t>(files.size());
  Dataset names = FromStrings(std::move(files));
  return options.shuffle ? names.shuffle(count, {.seed = options.seed}) : names;
}

}  // namespace headrace::data
