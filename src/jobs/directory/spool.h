// Spools: append-only files of lines by which a supervisor tells the platform what happens. One process writes, another
// reads behind it; a line counts when its newline is there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::jobs {

class SpoolWriter {
 public:
  // kFailedPrecondition when the file exists.
  static Result<SpoolWriter> Create(const std::string& path);

  // `lines` end with newlines. All of them, or an error. What is in the file when there was no room for all of it is
  // completed by the next call, when there is room again: no line is torn for good.
  Status Append(std::string_view lines);
  Status Sync();

 private:
  SpoolWriter(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  Status Write(std::string_view& bytes);

  std::string path_;
  Descriptor file_;
  std::string unfinished_;  // the rest of what was begun
};

struct SpoolPiece {
  std::vector<std::string> lines;  // without newlines
  uint64_t next_offset = 0;        // behind the last of them
};

// The complete lines from `offset` on, as far as `max_bytes` go, but at least one. A file that is not there yet is
// empty.
Result<SpoolPiece> ReadSpool(const std::string& path, uint64_t offset, size_t max_bytes);

}  // namespace headrace::jobs
