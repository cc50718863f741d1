#include "api/s3/access.h"
#include "api/s3/configuration.h"
#include "api/s3/encryption.h"
#include "api/s3/operations.h"

namespace headrace::api::s3 {

Outcome GetBucketEncryption(Exchange& exchange) {
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, "s3:GetEncryptionConfiguration"));
  return Xml(EncryptionDocument(DefaultEncryption(bucket)));
}

Outcome PutBucketEncryption(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutEncryptionConfiguration"));
  S3_ASSIGN(const Encryption encryption, ReadEncryptionDocument(exchange.body));
  return SetConfiguration(exchange, "encryption", EncryptionDocument(encryption), 200);
}

// The bucket has S3's own default again.
Outcome DeleteBucketEncryption(Exchange& exchange) {
  S3_TRY(BucketFor(exchange, "s3:PutEncryptionConfiguration"));
  return SetConfiguration(exchange, "encryption", "", 204);
}

}  // namespace headrace::api::s3
