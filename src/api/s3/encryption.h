// x-amz-server-side-encryption: what a client asks for, a bucket's default, and what clients are told. Bytes lie on
// disk as they came; who wants them encrypted there encrypts the disk (docs/api-coverage.md).
#pragma once

#include <string>
#include <string_view>

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

// "AES256", "aws:kms" or "aws:kms:dsse"; the latter two with a key, "" for the account's own.
struct Encryption {
  std::string algorithm = "AES256", kms_key;
  bool bucket_key = false;
};

// A ServerSideEncryptionConfiguration with its one rule, and back.
Reply<Encryption> ReadEncryptionDocument(std::string_view document);
std::string EncryptionDocument(const Encryption& encryption);
// What objects get that are put without a word on it.
Encryption DefaultEncryption(const store::Bucket& bucket);

// From the request's fields or the bucket's default into `info`. InvalidArgument.
Reply<void> ReadEncryption(const Exchange& exchange, const store::Bucket& bucket, store::ObjectInfo& info);
void WriteEncryption(const store::ObjectInfo& info, http::Response& response);

}  // namespace headrace::api::s3
