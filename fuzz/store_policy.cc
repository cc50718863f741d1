// Bucket policies: what is accepted must be judged without harm.
#include <string_view>

#include "store/access/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using headrace::store::Policy;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto policy = Policy::Parse(text, "bucket")) {
    policy->Judge({"111111111111", "alice", "arn:aws:sts::111111111111:assumed-role/alice/s"}, "s3:GetObject",
                  "arn:aws:s3:::bucket/some/key");
  }
  return 0;
}
