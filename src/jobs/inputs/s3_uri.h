// The one reader of URIs that name buckets, for every member of every request, manifests and their entries:
//
//   s3://BUCKET/KEY                               as it stands
//   https://BUCKET.s3.REGION.amazonaws.com/KEY    and the other hosts of Amazon's S3, also with the bucket in the path
//   https://localhost:4567/BUCKET/KEY             and every other host that a Headrace server may have
//   https://BUCKET.localhost:4567/KEY
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace::jobs {

struct S3Uri {
  std::string bucket, key;  // the key may be empty
};

// https:// is percent-decoded, s3:// is not. kInvalidArgument for anything else: other schemes, hosts of Amazon's other
// services, queries, user names, buckets that cannot be.
Result<S3Uri> ParseS3Uri(std::string_view uri);

// Whether a text is meant to be a URI and not a path: it has a scheme.
bool IsUri(std::string_view text);

// S3OutputPath/JOB/output/ without empty parts: the key prefix of a job's artifacts.
std::string OutputPrefix(const S3Uri& output_path, std::string_view job_name);

}  // namespace headrace::jobs
