// Names of checkpoints: any text is filled in or refused, and what is refused for its form is refused without logs,
// too.
#include <cstddef>
#include <cstdint>
#include <string>

#include "headrace/error.h"

#include "keras/callbacks/python_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::keras;
  const std::string name(reinterpret_cast<const char*>(bytes), size);
  Logs logs;
  logs.Set("loss", 0.5);
  logs.Set("accuracy", 0.5);
  bool filled = false;
  try {
    (void)internal::FormatPath(name, 1, logs);
    filled = true;
  } catch (const headrace::Error&) {
  }
  try {
    internal::CheckPathFormat(name);
  } catch (const headrace::Error&) {
    if (filled) __builtin_trap();
  }
  return 0;
}
