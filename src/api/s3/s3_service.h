// The S3 service: finds the operation of a request and runs it.
#pragma once

#include <string>
#include <vector>

#include "aws/service.h"
#include "base/thread_pool.h"
#include "store/objects/object_store.h"

namespace headrace::api::s3 {

struct ServiceOptions {
  store::ObjectStore& objects;
  ThreadPool& pool;
  std::vector<std::string> domains = {"localhost"};  // BUCKET.DOMAIN in Host names a bucket
};

// For aws::Gateway::SetS3: requests come authenticated, their body is a PayloadReader. What the options name outlives
// the service.
aws::RestService MakeS3Service(ServiceOptions options);

}  // namespace headrace::api::s3
