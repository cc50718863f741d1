// ByteSource: a file, FIFO or compressed stream read from front to back.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "headrace/data.h"

#include "base/result.h"

namespace headrace::data {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `out` with up to `size` > 0 bytes and returns how many; 0 at the end.
  virtual Result<size_t> Read(char* out, size_t size) = 0;
};

// Says whether the first bytes of a stream are those of an uncompressed file of the wanted format.
using LooksPlain = bool (*)(std::string_view first_bytes);

// Opens `path` and puts a decompressor in front when `compression` (or, with kAuto, the first bytes) ask for one.
// Reading a FIFO waits for its writer until `stop` becomes true (kUnavailable then); null: waits as long as it takes.
Result<std::unique_ptr<ByteSource>> OpenBytes(const std::string& path, Compression compression, LooksPlain looks_plain,
                                              std::shared_ptr<const std::atomic<bool>> stop = nullptr);

// The parts, for tests.
Result<std::unique_ptr<ByteSource>> OpenFile(const std::string& path, std::shared_ptr<const std::atomic<bool>> stop);
// Reads gzip (any number of members one after the other) or zlib. `path` is for messages.
std::unique_ptr<ByteSource> Inflate(std::unique_ptr<ByteSource> source, std::string path, Compression compression);

}  // namespace headrace::data
