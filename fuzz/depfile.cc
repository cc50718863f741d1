// Depfiles, which a stranger's compiler may have written, and the texts that are made of them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jobs/runtime/compiler_reads.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const auto& file : headrace::jobs::ParseDepfile(text))
    if (file.empty() || file.size() > size) std::abort();
  headrace::jobs::CompilerReads::Unchanged(text);
  return 0;
}
