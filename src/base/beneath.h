// HeldDirectory: a directory held by a descriptor, and what lies below it. For directories that somebody hostile may
// write to at the same time: whatever links, FIFOs or devices stand there, no name leads out of the directory, nothing
// but a regular file is ever opened as one, and nothing waits.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace {

// Whether `name` is a relative path without empty, "." and ".." parts, each short enough to be a file's name.
bool IsSafeRelativePath(std::string_view name);

// What a walk finds. Valid during the call only.
struct FoundEntry {
  const std::string& path;  // below the directory where the walk began: "a/b"
  std::string_view name;    // its last part: "b"
  size_t depth;             // of its directory: 0 for what lies right in the directory
  const struct stat& status;
  int directory;  // the descriptor of the directory that it lies in
};

struct TreeLimits {
  uint64_t entries = 1'000'000;
  uint64_t bytes = UINT64_MAX;  // of a copy, as they take room on the disk
  std::function<bool()> cancelled = [] { return false; };
};

// A name and the open directory that it stands in, for system calls that take both.
struct NamedPlace {
  Descriptor directory;
  std::string name;
};

// In all of its calls a name is a relative path of any length. A name with a link, "." or ".." in it is an error, and
// so is one that is too long for the file system.
class HeldDirectory {
 public:
  // `path` is the platform's own: links in it are followed.
  static Result<HeldDirectory> Open(const std::string& path) { return Open(path, path); }
  // Messages call it `shown`: strangers need not learn where it lies.
  static Result<HeldDirectory> Open(const std::string& path, const std::string& shown);
  // The same after mkdir -p.
  static Result<HeldDirectory> Make(const std::string& path);

  int descriptor() const { return directory_.get(); }
  const std::string& path() const { return path_; }  // as messages show it

  // kNotFound when there is nothing, kInvalidArgument when it is no directory.
  Result<HeldDirectory> OpenDirectory(std::string_view name) const;
  // mkdir -p. kInvalidArgument when something that is no directory, such as a link, is in the way.
  Result<HeldDirectory> MakeDirectories(std::string_view name) const;

  // A regular file, for reading. kNotFound when there is nothing, kInvalidArgument when it is something else.
  Result<Descriptor> OpenFile(std::string_view name) const;
  // kResourceExhausted when it is longer.
  Result<std::string> Read(std::string_view name, size_t max_bytes) const;
  // A new, empty file for writing; its directory must exist. What had the name before (a file, a link, a FIFO) goes.
  Result<Descriptor> CreateFile(std::string_view name, mode_t mode = 0644) const;
  // A small file that need not survive the machine.
  Status Write(std::string_view name, std::string_view bytes, mode_t mode = 0644) const;

  // Where `name` stands, or would: its directory must exist.
  Result<NamedPlace> PlaceOf(std::string_view name) const;
  // What has this name, links not followed. kNotFound.
  Result<struct stat> Examine(std::string_view name) const;
  // The names right in it, sorted. kResourceExhausted when they are more than `limit`.
  Result<std::vector<std::string>> List(uint64_t limit = 1'000'000) const;

  // Removes a file, a link, or a directory with all in it, whatever its depth and permissions. No error when there is
  // nothing.
  Status Remove(std::string_view name) const;
  Status RemoveContents() const;

  // Visits all that lies below it: each directory before what is in it, names in order. Links are visited, never
  // entered. What disappears meanwhile is left out. kInvalidArgument when there is more than the limits allow,
  // kUnavailable when cancelled, or when a directory was moved away while it was read.
  Status Walk(const std::function<Status(const FoundEntry&)>& visit, const TreeLimits& limits = {}) const;

  // Copies directories and regular files to `target`, holes as holes; links and special files are left out. Files that
  // `target` has already are replaced.
  Status CopyTo(const HeldDirectory& target, const TreeLimits& limits = {}) const;

 private:
  HeldDirectory(Descriptor directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}

  Descriptor directory_;
  std::string path_;
};

// Removes `path` with all in it: `path` itself is the platform's own, what lies in it need not be.
Status RemoveTree(const std::string& path);

}  // namespace headrace
