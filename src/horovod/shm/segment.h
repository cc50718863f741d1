// Segment: memory that several processes of one machine map, as a file whose name nobody guesses and that is unlinked
// once all have opened it. So it works between processes of different pid and ipc namespaces that share a directory,
// and nothing is left behind when they die.
#pragma once

#include <cstddef>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"

namespace headrace::hvd {

// What a process must know to open a segment.
struct SegmentName {
  std::string path, token;  // the token is in the file, too: who can read it there has the right file
  size_t bytes = 0;

  std::string ToText() const;
  static Result<SegmentName> FromText(const std::string& text);
};

// Where segments are made: HEADRACE_SHARED_MEMORY_DIR, or /dev/shm.
std::string SharedMemoryDirectory();

class Segment {
 public:
  Segment() = default;
  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&& other) noexcept;
  ~Segment();

  // A new file of zeros, all of it backed by memory: kResourceExhausted when there is not that much. Without a
  // directory it has no name from the start, and is for this process alone.
  static Result<Segment> Create(const std::string& directory, size_t bytes);
  static Result<Segment> Open(const SegmentName& name);

  const SegmentName& name() const { return name_; }
  void Unlink();  // by the process that made it; what is mapped stays

  std::byte* data() const { return data_; }  // at a page boundary
  size_t bytes() const { return name_.bytes; }
  explicit operator bool() const { return data_ != nullptr; }

  // A mark of this process on the segment that the kernel takes away when the process ends, however it ends.
  Status Mark(int index);
  bool IsMarked(int index) const;  // by another process than this one
  void Unmark(int index);

 private:
  Status Map();

  SegmentName name_;
  Descriptor file_;
  std::byte* data_ = nullptr;
  bool linked_ = false;
};

}  // namespace headrace::hvd
