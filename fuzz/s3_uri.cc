// URIs of requests and manifests: what is taken names a bucket that can be, and is the same bucket and key when it is
// written as s3://.
#include "jobs/inputs/s3_uri.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace::jobs;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto parsed = ParseS3Uri(text);
  if (!parsed) return 0;
  if (!IsUri(text) || parsed->bucket.empty() || parsed->bucket.find_first_of("/%@?#") != std::string::npos)
    std::abort();
  const auto again = ParseS3Uri("s3://" + parsed->bucket + "/" + parsed->key);
  if (!again || again->bucket != parsed->bucket || again->key != parsed->key) std::abort();
  if (!OutputPrefix(*parsed, "job").ends_with("job/output/")) std::abort();
  return 0;
}
