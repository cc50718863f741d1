#include "api/s3/encryption.h"

#include <pugixml.hpp>

#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr std::string_view kField = "x-amz-server-side-encryption";
constexpr std::string_view kKeyField = "x-amz-server-side-encryption-aws-kms-key-id";
constexpr std::string_view kBucketKeyField = "x-amz-server-side-encryption-bucket-key-enabled";

bool IsKms(std::string_view algorithm) { return algorithm == "aws:kms" || algorithm == "aws:kms:dsse"; }

Reply<Encryption> FromFields(const Exchange& exchange, const Encryption& otherwise) {
  const std::string algorithm = exchange.Header(kField), key = exchange.Header(kKeyField);
  if (algorithm.empty() && key.empty()) return otherwise;
  if (!algorithm.empty() && algorithm != "AES256" && !IsKms(algorithm))
    return InvalidArgument(kField, algorithm, "The encryption method specified is not supported");
  if (!key.empty() && !IsKms(algorithm))
    return InvalidArgument(kField, algorithm,
                           "Server Side Encryption with AWS KMS managed key requires HTTP header "
                           "x-amz-server-side-encryption : aws:kms");
  return Encryption{algorithm, key, exchange.Header(kBucketKeyField) == "true"};
}

}  // namespace

Reply<Encryption> ReadEncryptionDocument(std::string_view text) {
  S3_ASSIGN(const auto document, aws::ParseXml(text));
  const pugi::xml_node root = document->child("ServerSideEncryptionConfiguration"), rule = root.child("Rule");
  const pugi::xml_node defaults = rule.child("ApplyServerSideEncryptionByDefault");
  if (!rule || rule.next_sibling("Rule") || !defaults) return MalformedXml();
  if (rule.child("BlockedEncryptionTypes")) return NotImplemented("BlockedEncryptionTypes");
  const Encryption encryption{defaults.child_value("SSEAlgorithm"), defaults.child_value("KMSMasterKeyID"),
                              std::string_view(rule.child_value("BucketKeyEnabled")) == "true"};
  if (encryption.algorithm != "AES256" && !IsKms(encryption.algorithm)) return MalformedXml();
  if (!encryption.kms_key.empty() && !IsKms(encryption.algorithm))
    return InvalidArgument("ApplyServerSideEncryptionByDefault", encryption.algorithm,
                           "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
                           "aws:kms:dsse");
  return encryption;
}

std::string EncryptionDocument(const Encryption& encryption) {
  aws::XmlWriter xml;
  xml.Open("ServerSideEncryptionConfiguration", kXmlns).Open("Rule").Open("ApplyServerSideEncryptionByDefault");
  xml.Element("SSEAlgorithm", encryption.algorithm);
  if (!encryption.kms_key.empty()) xml.Element("KMSMasterKeyID", encryption.kms_key);
  xml.Close().Element("BucketKeyEnabled", encryption.bucket_key);
  return xml.Finish();
}

Encryption DefaultEncryption(const store::Bucket& bucket) {
  const auto kept = bucket.configurations.find("encryption");
  if (kept == bucket.configurations.end() || kept->second.empty()) return {};
  return ReadEncryptionDocument(kept->second).value_or(Encryption{});
}

Reply<void> ReadEncryption(const Exchange& exchange, const store::Bucket& bucket, store::ObjectInfo& info) {
  S3_ASSIGN(const Encryption encryption, FromFields(exchange, DefaultEncryption(bucket)));
  if (!IsKms(encryption.algorithm)) return {};
  info.encryption = encryption.algorithm;
  info.kms_key = encryption.kms_key.empty() ? fmt::format("arn:aws:kms:{}:{}:alias/aws/s3", bucket.region, bucket.owner)
                                            : encryption.kms_key;
  info.bucket_key = encryption.bucket_key;
  return {};
}

void WriteEncryption(const store::ObjectInfo& info, http::Response& response) {
  response.headers.Set(std::string(kField), info.encryption.empty() ? "AES256" : info.encryption);
  if (!info.kms_key.empty()) response.headers.Set(std::string(kKeyField), info.kms_key);
  if (info.bucket_key) response.headers.Set(std::string(kBucketKeyField), "true");
}

}  // namespace headrace::api::s3
