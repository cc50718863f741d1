// The content type that a file's name tells.
#pragma once

#include <string>

namespace headrace::apps {

// Throws CLI::ValidationError that asks for --content-type where the name's ending is none of .json, .jsonl, .csv,
// .npy.
std::string ContentTypeOf(const std::string& file);

}  // namespace headrace::apps
