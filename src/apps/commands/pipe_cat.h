// `headrace pipe cat`: the records of a file or FIFO, for people and scripts.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "apps/command.h"
#include "base/result.h"

namespace headrace::apps {

struct PipeCatOptions {
  std::string path;
  std::string format;  // empty: found out
  int64_t limit = -1;  // records; -1: all
  bool count = false;  // no records, only the totals
  bool raw = false;    // the records' bytes and nothing else
  bool skip_corrupt = false;
};

Status PipeCat(const PipeCatOptions& options, OutputFormat format, std::ostream& out);

// The first bytes as text: printable ASCII as it is, other bytes as \xhh, "…" when there are more.
std::string Preview(std::string_view bytes, size_t limit);

}  // namespace headrace::apps
