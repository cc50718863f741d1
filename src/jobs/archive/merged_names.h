// MergedNames: which of the entries of several trees one tree takes. Of each name the first one stays; a later one that
// is something else, and what lies below a directory that would stand in the place of something else, is left out.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::jobs {

enum class EntryKind { kFile, kDirectory, kLink };

struct LeftOut {
  std::string name;            // without a slash at its end
  EntryKind kept, left;        // the same kind twice: of different content
  size_t kept_of = 0, of = 0;  // trees, by their numbers

  bool operator==(const LeftOut&) const = default;
};

class MergedNames {
 public:
  // kAgain: there is one of this name and kind; whether it is the same is for the caller to find out.
  enum class Verdict { kTaken, kAgain, kLeftOut };

  // The next entry of tree `of`, by its path in there. The trees come one after the other.
  Verdict Add(std::string_view path, EntryKind kind, size_t of);
  // An entry that was there again is not the same.
  void Differs(std::string_view path, size_t of);

  // Of what lies below a directory that was left out, the directory alone.
  std::vector<LeftOut> TakeLeftOut() { return std::move(left_out_); }

 private:
  struct Taken {
    EntryKind kind;
    size_t of;
  };
  Verdict LeaveOut(const std::string& name, EntryKind kind, size_t of);

  std::map<std::string, Taken, std::less<>> taken_;
  std::vector<LeftOut> left_out_;
};

}  // namespace headrace::jobs
