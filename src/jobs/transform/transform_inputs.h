// The objects that a transform job reads, in the order in which it takes them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

struct TransformInput {
  std::string bucket, key, etag;
  // What S3OutputPath is followed by, without ".out": the key behind the folder that the job was pointed at, or the
  // manifest's entry.
  std::string relative;
  std::string Uri() const { return "s3://" + bucket + "/" + key; }
};

// All objects below an S3 prefix, or those that a manifest names, if the account may read them. kNotFound when there
// are none.
Result<std::vector<TransformInput>> FindTransformInputs(const store::AccountObjects& objects, const std::string& uri,
                                                        bool is_manifest);

// The list as a file: what a job had begun with, it ends with, whatever has come into the bucket since.
Status SaveTransformInputs(const std::string& path, const std::vector<TransformInput>& inputs);
Result<std::vector<TransformInput>> LoadTransformInputs(const std::string& path);

}  // namespace headrace::jobs
