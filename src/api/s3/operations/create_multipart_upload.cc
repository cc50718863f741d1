#include "api/s3/access.h"
#include "api/s3/checksums.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {

Outcome CreateMultipartUpload(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutObject"));
  S3_ASSIGN(store::ObjectInfo info, ReadObjectInfo(exchange));
  S3_ASSIGN(const auto checksum, ReadUploadChecksum(exchange));
  if (checksum) {
    info.checksums[std::string(aws::ChecksumName(checksum->algorithm))] = "";  // filled in when it is complete
    info.checksum_type = checksum->type;
  }
  const auto upload =
      exchange.objects.CreateUpload(exchange.bucket, exchange.key, exchange.call.caller.account_id, std::move(info));
  if (!upload && upload.error().code() == ErrorCode::kNotFound) return NoSuchBucket(exchange.bucket);
  if (!upload) return StoreFailure(upload.error());
  aws::XmlWriter xml;
  xml.Open("InitiateMultipartUploadResult", kXmlns).Element("Bucket", upload->bucket).Element("Key", upload->key);
  xml.Element("UploadId", upload->id);
  http::Response response = Xml(xml.Finish());
  if (checksum) {
    response.headers.Set("x-amz-checksum-algorithm", std::string(aws::ChecksumName(checksum->algorithm)));
    response.headers.Set("x-amz-checksum-type", checksum->type);
  }
  return response;
}

}  // namespace headrace::api::s3
