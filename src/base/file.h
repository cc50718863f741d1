// Files: whole-file reads, and writes that are either complete or absent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace {

// The whole file; kNotFound, or kResourceExhausted above `max_bytes`.
Result<std::string> ReadFile(const std::string& path, size_t max_bytes = size_t{1} << 32);

// An ordinary file, open for reading, and its size. A FIFO, a socket, a device or a directory under that name is
// refused (kFailedPrecondition) without waiting for anybody at its other end; links are followed.
struct RegularFile {
  Descriptor descriptor;
  uint64_t bytes = 0;
};
Result<RegularFile> OpenRegularFile(const std::string& path);
// ReadFile for what others put there: an ordinary file only, its size looked at before there is memory for it.
Result<std::string> ReadRegularFile(const std::string& path, size_t max_bytes);

// A file that appears under its name only when Commit() has succeeded: bytes go to a temporary sibling, which is
// flushed to disk and renamed. Dropped without Commit(), it leaves nothing behind.
class AtomicFile {
 public:
  static Result<AtomicFile> Create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status Write(std::string_view bytes);  // unbuffered
  Status Commit();                       // fsync, rename, fsync of the directory
  const std::string& temporary_path() const { return temporary_; }

 private:
  AtomicFile() = default;
  std::string path_, temporary_;
  int fd_ = -1;
};

// Whether a file of this name, or with such a name at the end of its path, is what an AtomicFile leaves behind whose
// process is killed: half a file.
bool IsUnfinishedFile(std::string_view name);

Status WriteFileAtomically(const std::string& path, std::string_view bytes);

// Takes a file's exclusive lock (flock); false when somebody keeps it for `wait_millis`. A wait is needed even where
// nobody else should have it: a process that was killed may leave a child that holds the lock until it becomes another
// program.
bool LockExclusively(int fd, int wait_millis = 2000);

// Like mkdir -p.
Status MakeDirectories(const std::string& path);

}  // namespace headrace
