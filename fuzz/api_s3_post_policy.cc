// Policies of uploads from a form: any text, judged against fields that a form may hold.
#include <string>

#include "api/s3/post_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string policy(reinterpret_cast<const char*>(bytes), size);
  const auto range = headrace::api::s3::CheckPostPolicy(
      policy, {{"key", "user/x"}, {"bucket", "b"}, {"content-type", "image/png,image/gif"}}, 1'700'000'000'000);
  if (range && range->most > uint64_t{5} << 30) __builtin_trap();
  return 0;
}
