// How chunks of records come through files into TensorFlow. The epoch is a TFRecord file of *tickets*, which
// TensorFlow's TFRecordDataset reads; each is the name of a file that holds one chunk and is there for one reading
// (tf.io.read_file). The records themselves do not go through the TFRecord file: TensorFlow would compute their
// checksums again, and they have been verified.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/record_stream.h"
#include "pipe_filesystem/record_chunk.h"

namespace headrace::pipe_filesystem {

// The chunks whose tickets are out. Called on any thread.
class ChunkTable {
 public:
  // `epoch`: who has put it there, for DropAllOf.
  uint64_t Put(RecordChunk chunk, const void* epoch);
  void DropAllOf(const void* epoch);

  // kNotFound for a chunk that has been taken, or whose epoch is closed.
  Result<uint64_t> SizeOf(uint64_t number) const;
  Result<RecordChunk> Take(uint64_t number);

 private:
  struct Entry {
    RecordChunk chunk;
    const void* epoch = nullptr;
  };
  static tl::unexpected<Error> NotThere(uint64_t number);

  mutable std::mutex mutex_;
  uint64_t next_ = 0;
  std::map<uint64_t, Entry> chunks_;
};

// The tickets of an epoch's chunks. With the stream go the chunks that nobody has read, unless it has come to its end.
std::unique_ptr<data::RecordStream> TicketsOf(std::unique_ptr<data::RecordStream> records,
                                              std::shared_ptr<ChunkTable> chunks);

// A ticket's number; nullopt for a name that is none.
std::optional<uint64_t> TicketNumber(std::string_view name);

}  // namespace headrace::pipe_filesystem
