// ContentHash: SHA-256 over texts, files and trees.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/beneath.h"
#include "base/result.h"

namespace headrace::jobs {

class ContentHash {
 public:
  ContentHash();

  // With its length, so that neighbours cannot be mistaken for each other.
  void AddField(std::string_view text);
  // A piece of something longer: how it is cut makes no difference.
  void AddBytes(std::string_view bytes);
  // The rest of an open file, in pieces.
  Status AddFile(int file);
  // Names and contents of all below the directory; links by where they lead.
  Status AddTree(const HeldDirectory& directory);
  // Of no further use afterwards.
  std::string Hex();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

}  // namespace headrace::jobs
