#pragma once

#include <string>

namespace headrace::sagemaker {

struct S3Uri {
  std::string bucket, key;  // key without a slash in front
};
// kInvalidArgument for what is not s3://BUCKET or s3://BUCKET/KEY.
S3Uri ParseS3Uri(const std::string& uri);
// With one slash between them; `name` as it is when `prefix` is "".
std::string JoinKey(const std::string& prefix, const std::string& name);

}  // namespace headrace::sagemaker
