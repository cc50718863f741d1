// Any bytes as a channel of one of SageMaker's formats: the tensors that TensorFlow is given hold its records, all of
// them.
#include "pipe_filesystem/record_chunk.h"

#include <string>
#include <string_view>
#include <vector>

#include "memory_source.h"

using namespace headrace;
using namespace headrace::data;

namespace {

using Records = std::vector<std::string>;

// All before the end or the first error.
Records AllOf(RecordStream& stream) {
  Records records;
  while (true) {
    const auto record = stream.Next();
    if (!record || !*record) return records;
    records.emplace_back(**record);
  }
}

uint64_t Varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (bytes.empty()) __builtin_trap();
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
}

void Expect(std::string_view& bytes, uint64_t value) {
  if (Varint(bytes) != value) __builtin_trap();
}

// Takes a tensor apart: dtype 7; a shape of one dim; the lengths and the bytes of its strings.
void AppendStrings(std::string_view bytes, Records& records) {
  for (const uint64_t value : {0x08, 7, 0x12}) Expect(bytes, value);
  Varint(bytes);
  Expect(bytes, 0x12);
  Varint(bytes);
  Expect(bytes, 0x08);
  std::vector<uint64_t> lengths(Varint(bytes));
  Expect(bytes, 0x22);
  const uint64_t content = Varint(bytes);
  if (content != bytes.size()) __builtin_trap();
  for (uint64_t& length : lengths) length = Varint(bytes);
  for (const uint64_t length : lengths) {
    if (length > bytes.size()) __builtin_trap();
    records.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (!bytes.empty()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const auto read = bytes[0] % 3 == 0 ? ReadRecordIO : bytes[0] % 3 == 1 ? ReadTextLines : nullptr;
  const size_t step = 1 + (bytes[0] >> 4) * 7;
  const ReaderOptions options{.max_record_bytes = size_t{1} << 20, .buffer_bytes = 64};
  const auto open = [&] {
    auto source = std::make_unique<FuzzSource>(bytes + 1, size - 1, step);
    return read ? read(std::move(source), "fuzz", options) : ReadTFRecords(std::move(source), "fuzz", options);
  };
  Records found;
  const auto stream = open();
  std::optional<Error> error;
  while (true) {
    const auto chunk = pipe_filesystem::RecordChunk::Next(*stream, error);
    if (!chunk || !*chunk) break;
    std::string tensor((*chunk)->size(), '\0');
    if ((*chunk)->Read(0, tensor.data(), tensor.size()) != tensor.size()) __builtin_trap();
    AppendStrings(tensor, found);
  }
  if (found != AllOf(*open())) __builtin_trap();
  return 0;
}
