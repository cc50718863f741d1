// Any bytes as a channel of one of SageMaker's formats: what TensorFlow is given of it is a TFRecord file of the same
// records.
#include "pipe_filesystem/framed_records.h"

#include <string>
#include <vector>

#include "memory_source.h"

using namespace headrace;
using namespace headrace::data;

namespace {

using Records = std::vector<std::string>;

// All before the first error.
Records AllOf(RecordStream& stream) {
  Records records;
  while (true) {
    const auto record = stream.Next();
    if (!record || !*record) return records;
    records.emplace_back(**record);
  }
}

std::string FileOf(std::unique_ptr<RecordStream> stream, size_t step) {
  pipe_filesystem::FramedRecords file(std::move(stream));
  std::string bytes, part(step, '\0');
  while (true) {
    const auto n = file.Read(bytes.size(), part.data(), step);
    if (!n) return bytes;
    bytes.append(part, 0, *n);
    if (*n < step) return bytes;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const auto read = bytes[0] % 2 == 0 ? ReadRecordIO : ReadTextLines;
  const size_t step = 1 + (bytes[0] >> 4) * 7;
  const ReaderOptions options{.max_record_bytes = size_t{1} << 20, .buffer_bytes = 64};
  const auto open = [&] { return read(std::make_unique<FuzzSource>(bytes + 1, size - 1, step), "fuzz", options); };
  const Records wanted = AllOf(*open());
  const std::string file = FileOf(open(), step);
  const auto again = ReadTFRecords(
      std::make_unique<FuzzSource>(reinterpret_cast<const uint8_t*>(file.data()), file.size(), 1000), "file", options);
  const Records found = AllOf(*again);
  // A read that ends in an error takes the bytes before it along.
  if (found.size() > wanted.size()) __builtin_trap();
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i] != wanted[i]) __builtin_trap();
  if (step == 1 && found.size() != wanted.size()) __builtin_trap();
  return 0;
}
