#include "api/s3/access.h"
#include "api/s3/operations.h"

namespace headrace::api::s3 {

Outcome HeadBucket(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:ListBucket"));
  http::Response response = Empty(200);
  response.headers.Set("x-amz-bucket-region", bucket.region);
  response.headers.Set("x-amz-access-point-alias", "false");
  response.headers.Set("Content-Type", "application/xml");
  return response;
}

}  // namespace headrace::api::s3
