#include "api/s3/operations.h"
#include "api/s3/upload.h"

namespace headrace::api::s3 {

Outcome AbortMultipartUpload(Exchange& exchange) {
  S3_ASSIGN(const store::Upload upload, UploadFor(exchange, "s3:AbortMultipartUpload"));
  const auto aborted = exchange.objects.AbortUpload(upload);
  if (!aborted && aborted.error().code() == ErrorCode::kNotFound) return NoSuchUpload(upload.id);
  if (!aborted) return StoreFailure(aborted.error());
  return Empty(204);
}

}  // namespace headrace::api::s3
