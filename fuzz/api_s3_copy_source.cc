// x-amz-copy-source: whatever is accepted names a bucket and a key that could be an object's.
#include <string_view>

#include "api/s3/copy_source.h"
#include "api/s3/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::api::s3;
  const auto source = ParseCopySource({reinterpret_cast<const char*>(bytes), size});
  if (!source) return 0;
  if (source->bucket.empty() || source->bucket.find('/') != std::string::npos) __builtin_trap();
  if (source->key.empty() || !CheckKey(source->key)) __builtin_trap();
  return 0;
}
