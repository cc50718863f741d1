// Objects split into records of every kind, JSONPath, and filters and joins of CSV and JSON: any bytes become records
// or an error. The first byte says which; JSONPath and what it is tried on are apart by a line break.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "jobs/transform/batch_reader.h"
#include "jobs/transform/data_processing.h"

namespace {

using namespace headrace;
using namespace headrace::jobs;

void Split(SplitType split, const std::string& bytes, bool many) {
  constexpr size_t kLimit = 1000;
  size_t at = 0, total = 0;
  BatchReader reader(
      split, many,
      [&](char* out, size_t size) -> Result<size_t> {
        const size_t n = std::min({size, bytes.size() - at, size_t{7}});
        std::memcpy(out, bytes.data() + at, n);
        at += n;
        return n;
      },
      kLimit);
  while (true) {
    const auto batch = reader.Next();
    if (!batch || !*batch) return;
    total += (*batch)->body.size();
    if (total > bytes.size() || (*batch)->records == 0) __builtin_trap();
  }
}

void Process(const std::string& text, bool csv) {
  const size_t line = std::min(text.find('\n'), text.size());
  const auto path = JsonPath::Parse(text.substr(0, line));
  if (!path) return;
  const std::string body = text.substr(std::min(line + 1, text.size()));
  TransformSettings settings;
  settings.content_type = csv ? "text/csv" : "application/json";
  settings.split = SplitType::kLine;
  settings.input_filter = settings.output_filter = *path;
  for (const bool join : {false, true}) {
    settings.join = join;
    const DataProcessing processing(settings);
    const auto filtered = processing.FilterInput(body);
    (void)processing.Finish(body, filtered ? *filtered : body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0] % 6) {
    case 0:
    case 1:
      Process(rest, bytes[0] % 6 == 0);
      break;
    default:
      Split(static_cast<SplitType>(bytes[0] % 6 - 2), rest, (bytes[0] & 0x40) != 0);
  }
  return 0;
}
