#include "apps/client/content_type.h"

#include <filesystem>
#include <map>

#include <CLI/CLI.hpp>

namespace headrace::apps {

std::string ContentTypeOf(const std::string& file) {
  static const std::map<std::string, std::string> kTypes = {{".json", "application/json"},
                                                            {".jsonl", "application/jsonlines"},
                                                            {".csv", "text/csv"},
                                                            {".npy", "application/x-npy"}};
  const auto found = kTypes.find(std::filesystem::path(file).extension().string());
  if (found != kTypes.end()) return found->second;
  throw CLI::ValidationError(
      "--content-type", "found a file '" + file + "', whose type no name tells (.json, .jsonl, .csv, .npy): say it");
}

}  // namespace headrace::apps
