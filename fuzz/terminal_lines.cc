// Whatever a program writes: lines come out valid, and do not depend on how the bytes were cut.
#include "jobs/capture/terminal_lines.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

std::vector<std::string> Lines(std::string_view bytes, size_t piece) {
  std::vector<std::string> lines;
  headrace::jobs::TerminalLines terminal(64);
  const auto emit = [&](std::string_view line) { lines.emplace_back(line); };
  for (size_t i = 0; i < bytes.size(); i += piece) terminal.Feed(bytes.substr(i, piece), emit);
  terminal.Finish(emit);
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = Lines(bytes, size + 1);
  if (Lines(bytes, 3) != whole) std::abort();
  for (const auto& line : whole)
    for (const unsigned char c : line)
      if ((c < 0x20 && c != '\t') || c == 0x7f) std::abort();
  return 0;
}
