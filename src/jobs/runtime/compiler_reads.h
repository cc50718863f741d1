// What a compiler has read, as it says in its depfiles (-MD), and whether all of that is still the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.h"
#include "base/result.h"

namespace headrace::jobs {

// The files that the rules of a depfile depend on, as written there: make's escapes are taken off.
std::vector<std::string> ParseDepfile(std::string_view text);

class CompilerReads {
 public:
  // Make it before the compiler starts. Files below the directories `elsewhere` are left out: they count in another
  // way.
  explicit CompilerReads(std::vector<std::string> elsewhere);

  // Takes the depfiles (*.d) in a build directory, whose relative names begin at `directory`. What is there may come
  // from a stranger's compiler: of the files they name only those below `trusted` directories count, and none but
  // regular ones is opened.
  Status Take(const HeldDirectory& build, const std::string& directory, const std::vector<std::string>& trusted);

  // One line a file: the hash of its content, what the file system says of it, and its path. Of no use to anybody when
  // a file has changed since the compiler started: what it read is not known then.
  std::string ToText() const;
  // Whether all files of such a text have the content they had. False for what is no such text.
  static bool Unchanged(std::string_view text);

 private:
  const std::vector<std::string> elsewhere_;
  const int64_t started_;
  bool changed_meanwhile_ = false;
  std::vector<std::string> lines_;
};

}  // namespace headrace::jobs
