// ObjectStream: one pass over a channel's objects, written into a pipe as fast as the pipe takes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "jobs/pipe/gunzip.h"

namespace headrace::jobs {

// An object, or literal bytes (an attribute of an augmented manifest that is no reference).
struct PipePart {
  std::string path;  // of the object's file; empty: `literal` is the content
  std::string literal;
  std::string name;  // for messages, the object's key; empty: the path
};

struct PipeContent {
  std::vector<PipePart> parts;   // objects in key order
  uint32_t parts_per_entry = 1;  // how many belong together in shuffling and sharding (attributes of a manifest line)
  bool gunzip = false;           // CompressionType Gzip: objects (not literals) are decompressed
  bool record_io = false;        // RecordWrapperType RecordIO: every part becomes one record

  uint32_t entries() const { return static_cast<uint32_t>(parts.size()) / parts_per_entry; }
};

class ObjectStream {
 public:
  enum class Progress {
    kDone,    // everything is in the pipe
    kFull,    // the pipe takes no more now
    kMore,    // the budget is used up
    kClosed,  // nobody reads the pipe any more
  };

  // `order`: entries, as EpochOrder::Of gives them.
  ObjectStream(std::shared_ptr<const PipeContent> content, std::vector<uint32_t> order);

  // Writes about `budget` bytes at most. `pipe` must be non-blocking and SIGPIPE blocked or ignored.
  Result<Progress> WriteTo(int pipe, size_t budget);
  uint64_t bytes() const { return bytes_; }  // in the pipe so far

 private:
  Result<bool> Refill();
  Status Open(const PipePart& part);
  Status OpenCompressed(const PipePart& part, Descriptor file);
  Status Inflate();
  Status AppendFile(size_t size);
  void AppendRecordHeader(uint64_t size);
  ssize_t Move(int pipe, size_t budget);
  Result<std::optional<Progress>> Moved(ssize_t moved, size_t& budget);

  std::shared_ptr<const PipeContent> content_;
  std::vector<uint32_t> order_;
  size_t next_ = 0;     // part, counted along order_
  std::string name_;    // of the part in work
  std::string buffer_;  // bytes that go before `file_`
  size_t buffer_done_ = 0;
  Descriptor file_;
  loff_t file_offset_ = 0;
  uint64_t file_left_ = 0;
  std::unique_ptr<Gunzip> gunzip_;  // the rest of a compressed object comes from here
  size_t padding_ = 0;              // zeros after the object
  bool splices_ = true;             // false: the file system cannot
  uint64_t bytes_ = 0;
};

}  // namespace headrace::jobs
