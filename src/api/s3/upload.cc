#include "api/s3/upload.h"

#include "api/s3/access.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxParts = 10'000;

}  // namespace

Reply<store::Upload> UploadFor(const Exchange& exchange, std::string_view action) {
  S3_TRY(BucketFor(exchange, action));
  const std::string id = exchange.ParameterOr("uploadId", "");
  auto upload = exchange.objects.FindUpload(exchange.bucket, exchange.key, id);
  if (!upload && upload.error().code() == ErrorCode::kNotFound) return NoSuchUpload(id);
  if (!upload) return StoreFailure(upload.error());
  return std::move(*upload);
}

Reply<int> PartNumber(const Exchange& exchange) {
  const auto number = CountParameter(exchange, "partNumber", kMaxParts + 1);
  if (!number || *number < 1 || *number > kMaxParts)
    return InvalidArgument("partNumber", exchange.ParameterOr("partNumber", ""),
                           "Part number must be an integer between 1 and 10000, inclusive");
  return static_cast<int>(*number);
}

}  // namespace headrace::api::s3
