// Fuzzed bytes as the source of a reader, handed out a few at a time so that every way of refilling is taken.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "data/record_stream.h"

namespace headrace::data {

class FuzzSource : public ByteSource {
 public:
  FuzzSource(const uint8_t* bytes, size_t size, size_t step)
      : bytes_(reinterpret_cast<const char*>(bytes), size), step_(step) {}
  Result<size_t> Read(char* out, size_t size) override {
    const size_t n = bytes_.copy(out, std::min(size, step_), done_);
    done_ += n;
    return n;
  }

 private:
  std::string bytes_;
  size_t step_, done_ = 0;
};

// The first byte chooses how to read, the rest is read to the end or the first error; with skip_corrupt there must be
// no error but the limit's.
inline void ReadEverything(const uint8_t* bytes, size_t size,
                           std::unique_ptr<RecordStream> (*open)(std::unique_ptr<ByteSource>, std::string,
                                                                 const ReaderOptions&)) {
  if (size == 0) return;
  const uint8_t choice = bytes[0];
  const bool skip = (choice & 1u) != 0;
  std::unique_ptr<ByteSource> source = std::make_unique<FuzzSource>(bytes + 1, size - 1, 1 + (choice >> 4) * 5);
  if ((choice & 2u) != 0)
    source = Inflate(std::move(source), "fuzz", (choice & 4u) != 0 ? Compression::kGzip : Compression::kZlib);
  ReaderOptions options{.max_record_bytes = size_t{1} << 20, .buffer_bytes = 64, .skip_corrupt = skip};
  const auto stream = open(std::move(source), "fuzz", options);
  uint64_t last = 0;
  while (true) {
    const auto record = stream->Next();
    if (!record || !*record) return;
    if (stream->position().offset < last) __builtin_trap();
    last = stream->position().offset;
    // Every byte handed out must be readable.
    const std::string copy(**record);
    if (copy.size() > options.max_record_bytes) __builtin_trap();
  }
}

}  // namespace headrace::data
