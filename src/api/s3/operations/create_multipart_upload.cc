#include "api/s3/access.h"
#include "api/s3/checksums.h"
#include "api/s3/encryption.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "aws/xml.h"

namespace headrace::api::s3 {

Outcome CreateMultipartUpload(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:PutObject"));
  S3_ASSIGN(store::ObjectInfo info, ReadObjectInfo(exchange, bucket));
  S3_ASSIGN(const auto checksum, ReadUploadChecksum(exchange));
  const UploadChecksum kept = checksum.value_or(UploadChecksum{aws::ChecksumAlgorithm::kCrc64Nvme, "FULL_OBJECT"});
  info.checksums[std::string(aws::ChecksumName(kept.algorithm))] = "";  // filled in when it is complete
  info.checksum_type = kept.type;
  info.checksum_is_default = !checksum;
  const auto upload =
      exchange.objects.CreateUpload(exchange.bucket, exchange.key, exchange.call.caller.account_id, std::move(info));
  if (!upload && upload.error().code() == ErrorCode::kNotFound) return NoSuchBucket(exchange.bucket);
  if (!upload) return StoreFailure(upload.error());
  aws::XmlWriter xml;
  xml.Open("InitiateMultipartUploadResult", kXmlns).Element("Bucket", upload->bucket).Element("Key", upload->key);
  xml.Element("UploadId", upload->id);
  http::Response response = Xml(xml.Finish());
  WriteEncryption(upload->info, response);
  if (checksum) {
    response.headers.Set("x-amz-checksum-algorithm", std::string(aws::ChecksumName(checksum->algorithm)));
    response.headers.Set("x-amz-checksum-type", checksum->type);
  }
  return response;
}

}  // namespace headrace::api::s3
