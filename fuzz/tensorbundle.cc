// The index of a TensorBundle: any bytes are read or refused, and what is read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "savedmodel/bundle/bundle_reader.h"
#include "savedmodel/bundle/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string file(reinterpret_cast<const char*>(bytes), size);
  (void)headrace::savedmodel::ParseBundleIndex(file, "fuzz.index");
  if (const auto table = headrace::savedmodel::ReadTable(file, "fuzz.index"))
    if (headrace::savedmodel::ReadTable(headrace::savedmodel::BuildTable(*table), "again").value() != *table)
      __builtin_trap();
  return 0;
}
