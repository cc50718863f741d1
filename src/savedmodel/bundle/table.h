// A sorted string table in LevelDB's format: the index of a TensorBundle. docs/formats/tensorbundle.md.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace::savedmodel {

using TableEntries = std::map<std::string, std::string>;  // std::string compares bytes as the format wants it

// The bytes of a table with these entries, uncompressed.
std::string BuildTable(const TableEntries& entries);

// All entries of the table in `file`; `path` is for messages. Every checksum is verified, keys must be in order, and
// no more memory is used than a small multiple of the file's size plus 64 MiB of keys.
Result<TableEntries> ReadTable(std::string_view file, const std::string& path);

}  // namespace headrace::savedmodel
