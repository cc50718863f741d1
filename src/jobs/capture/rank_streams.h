// RankStreams: the lines of each rank, out of what mpirun forwards of all of them in one stream (--tag-output). mpirun
// puts "[1,RANK]<stdout>:" in front of each piece that it has read from a rank, which may begin in the middle of a
// line.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "jobs/capture/terminal_lines.h"

namespace headrace::jobs {

class RankStreams {
 public:
  // Ranks from 0 to `ranks` - 1: other marks are the program's own text. 0: of a program that mpirun does not run.
  explicit RankStreams(int ranks) : ranks_(ranks) {}

  // The rank is nullopt for what mpirun says itself.
  using Emit = std::function<void(std::optional<int> rank, std::string_view line)>;
  void Feed(std::string_view bytes, const Emit& emit);
  // The lines that have not ended.
  void Finish(const Emit& emit);

 private:
  // A mark at the beginning of `text`: its length and rank. Length 0: there is none; nullopt: there may be one when
  // more has come.
  struct Mark {
    size_t size = 0;
    int rank = 0;
  };
  std::optional<Mark> MarkAt(std::string_view text) const;
  void Take(std::string_view text, const Emit& emit);

  int ranks_;
  std::string pending_;  // what may be the beginning of a mark
  std::optional<int> current_;
  std::map<std::optional<int>, TerminalLines> lines_;
};

}  // namespace headrace::jobs
