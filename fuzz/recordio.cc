#include "memory_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  headrace::data::ReadEverything(bytes, size, headrace::data::ReadRecordIO);
  return 0;
}
