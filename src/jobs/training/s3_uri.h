// s3://BUCKET/KEY
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace::jobs {

struct S3Uri {
  std::string bucket, key;  // the key may be empty
};

// Also https://… in the forms that name a bucket in the path. kInvalidArgument for anything else.
Result<S3Uri> ParseS3Uri(std::string_view uri);

// S3OutputPath/JOB/output/ without empty parts: the key prefix of a job's artifacts.
std::string OutputPrefix(const S3Uri& output_path, std::string_view job_name);

}  // namespace headrace::jobs
