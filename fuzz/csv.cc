// CSV text: whatever the bytes, every record has a field, no field has what its rules forbid, and what is written with
// quotes around everything is read again alike.
#include <string>
#include <vector>

#include "data/csv/tokenizer.h"
#include "memory_source.h"

namespace {

using headrace::data::CsvTokenizer;
using headrace::data::FuzzSource;

CsvTokenizer Tokenizer(const uint8_t* bytes, size_t size, size_t step, char delimiter, bool quotes) {
  return {std::make_unique<FuzzSource>(bytes, size, step),
          "fuzz",
          {.delimiter = delimiter, .quotes = quotes, .max_record_bytes = 1 << 16, .buffer_bytes = 16}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const bool quotes = (bytes[0] & 1u) == 0;
  auto tokenizer = Tokenizer(bytes + 1, size - 1, 1 + (bytes[0] >> 4), (bytes[0] & 2u) == 0 ? ',' : '\t', quotes);
  std::vector<std::string> fields;
  while (true) {
    const auto more = tokenizer.Next(fields);
    if (!more || !*more) return 0;
    if (tokenizer.count() == 0 || tokenizer.count() > fields.size()) __builtin_trap();
    std::string again;
    for (size_t i = 0; i < tokenizer.count(); ++i) {
      again += i > 0 ? ",\"" : "\"";
      for (const char c : fields[i]) again += c == '"' ? std::string("\"\"") : std::string(1, c);
      again += '"';
    }
    auto second = Tokenizer(reinterpret_cast<const uint8_t*>(again.data()), again.size(), 7, ',', true);
    std::vector<std::string> read;
    const auto any = second.Next(read);
    if (!any || !*any || second.count() != tokenizer.count()) __builtin_trap();
    for (size_t i = 0; i < second.count(); ++i)
      if (read[i] != fields[i]) __builtin_trap();
  }
}
