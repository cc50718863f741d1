#include <charconv>

#include <pugixml.hpp>

#include "api/s3/access.h"
#include "api/s3/checksums.h"
#include "api/s3/encryption.h"
#include "api/s3/object_headers.h"
#include "api/s3/operations.h"
#include "api/s3/upload.h"
#include "aws/digest.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

constexpr size_t kMaxParts = 10'000;
constexpr uint64_t kMinPartBytes = uint64_t{5} << 20;

// A part as the client believes it to be.
struct Claim {
  int number = 0;
  std::string etag;
  std::map<std::string, std::string> checksums;
};

Reply<std::vector<Claim>> ReadClaims(std::string_view text) {
  S3_ASSIGN(const auto document, aws::ParseXml(text));
  std::vector<Claim> claims;
  for (const pugi::xml_node part : document->child("CompleteMultipartUpload").children("Part")) {
    Claim claim;
    const std::string_view number = part.child_value("PartNumber");
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), claim.number);
    if (number.empty() || error != std::errc() || end != number.data() + number.size() || !part.child("ETag"))
      return MalformedXml();
    claim.etag = Unquoted(part.child_value("ETag"));
    for (const pugi::xml_node child : part.children())
      if (std::string_view(child.name()).starts_with("Checksum"))
        claim.checksums[std::string(child.name()).substr(8)] = child.child_value();
    claims.push_back(std::move(claim));
  }
  if (claims.empty() || claims.size() > kMaxParts) return MalformedXml();
  for (size_t i = 1; i < claims.size(); ++i)
    if (claims[i].number <= claims[i - 1].number)
      return aws::Refuse(
          "InvalidPartOrder",
          "The list of parts was not in ascending order. The parts list must be specified in order by part number.");
  return claims;
}

bool Matches(const Claim& claim, const store::UploadPart& part) {
  if (claim.number != part.number || claim.etag != part.etag) return false;
  for (const auto& [algorithm, value] : claim.checksums) {
    const auto kept = part.checksums.find(algorithm);
    if (kept != part.checksums.end() && kept->second != value) return false;
  }
  return true;
}

Refusal InvalidPart(const Claim& claim, const std::string& upload) {
  ServiceError error{
      "InvalidPart",
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
      "specified entity tag may not match the part's entity tag.",
      400,
      {},
      {}};
  error.details = {{"UploadId", upload}, {"PartNumber", std::to_string(claim.number)}, {"ETag", claim.etag}};
  return Refusal(std::move(error));
}

Refusal TooSmall(const store::UploadPart& part) {
  ServiceError error{"EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, {}, {}};
  error.details = {{"ProposedSize", std::to_string(part.size)},
                   {"MinSizeAllowed", std::to_string(kMinPartBytes)},
                   {"PartNumber", std::to_string(part.number)},
                   {"ETag", part.etag}};
  return Refusal(std::move(error));
}

// A composite checksum is made of what the client has of each part.
Reply<void> CheckChecksumIsClaimed(const Claim& claim, const store::Upload& upload) {
  if (upload.info.checksum_type != "COMPOSITE") return {};
  for (const auto& [name, unused] : upload.info.checksums) {
    if (claim.checksums.contains(name)) continue;
    if (!claim.checksums.empty())
      return aws::Refuse("BadDigest", fmt::format("The {} you specified for part {} did not match what we received.",
                                                  LowerCase(claim.checksums.begin()->first), claim.number));
    return InvalidRequest(
        fmt::format("The upload was created using a {} checksum. The complete request must include the checksum for "
                    "each part. It was missing for part {} in the request.",
                    LowerCase(name), claim.number));
  }
  return {};
}

// The stored parts that the claims name.
Reply<std::vector<store::UploadPart>> Choose(const std::vector<Claim>& claims, std::vector<store::UploadPart> parts,
                                             const store::Upload& upload) {
  std::vector<store::UploadPart> chosen;
  auto next = parts.begin();
  for (const Claim& claim : claims) {
    while (next != parts.end() && next->number < claim.number) ++next;
    if (next == parts.end() || !Matches(claim, *next)) return InvalidPart(claim, upload.id);
    S3_TRY(CheckChecksumIsClaimed(claim, upload));
    chosen.push_back(std::move(*next++));
  }
  for (size_t i = 0; i + 1 < chosen.size(); ++i)
    if (chosen[i].size < kMinPartBytes) return TooSmall(chosen[i]);
  return chosen;
}

Reply<void> CheckObjectSize(const Exchange& exchange, const std::vector<store::UploadPart>& parts) {
  const std::string header = exchange.Header("x-amz-mp-object-size");
  uint64_t size = 0;
  for (const store::UploadPart& part : parts) size += part.size;
  if (!header.empty() && header != std::to_string(size))
    return InvalidRequest(
        fmt::format("The provided 'x-amz-mp-object-size' header value {} does not match what was "
                    "computed: {}",
                    header, size));
  return {};
}

// Fills in the checksum that the upload was made for, and compares it with what the request says.
Reply<void> FinishChecksums(const Exchange& exchange, const std::vector<store::UploadPart>& parts,
                            store::ObjectInfo& info) {
  std::map<std::string, std::string> checksums;
  for (const auto& [name, unused] : info.checksums) {
    const auto algorithm = aws::ChecksumByName(name);
    if (!algorithm) continue;
    const auto value = info.checksum_type == "FULL_OBJECT" ? FullObjectChecksum(*algorithm, parts)
                                                           : CompositeChecksum(*algorithm, parts);
    if (!value) continue;
    checksums[name] = *value;
    const std::string said = exchange.Header(aws::ChecksumHeader(*algorithm));
    // Some clients leave the "-N" of a composite one out.
    if (!said.empty() && said != *value && said != value->substr(0, value->find('-')))
      return aws::Refuse("BadDigest", fmt::format("The {} you specified did not match the calculated checksum.", name));
  }
  info.checksums = std::move(checksums);
  info.checksum_is_default = false;
  if (info.checksums.empty()) info.checksum_type.clear();
  return {};
}

http::Response Report(const Exchange& exchange, const store::Object& object) {
  aws::XmlWriter xml;
  xml.Open("CompleteMultipartUploadResult", kXmlns);
  xml.Element("Location",
              fmt::format("{}/{}/{}", exchange.call.endpoint, object.bucket, http::PercentEncode(object.key, true)));
  xml.Element("Bucket", object.bucket).Element("Key", object.key).Element("ETag", Quoted(object.etag));
  for (const auto& [algorithm, value] : object.info.checksums) xml.Element("Checksum" + algorithm, value);
  if (!object.info.checksum_type.empty()) xml.Element("ChecksumType", object.info.checksum_type);
  http::Response response = Xml(xml.Finish());
  WriteEncryption(object.info, response);
  return response;
}

// A client whose connection broke asks again: the same parts in the object mean that it was done.
Outcome CompletedBefore(const Exchange& exchange, const std::vector<Claim>& claims, const ServiceError& missing) {
  store::Md5 md5;
  for (const Claim& claim : claims) md5.Update(store::FromHex(claim.etag));
  const std::string etag = fmt::format("{}-{}", store::ToHex(md5.Finish()), claims.size());
  const auto object = exchange.objects.Find(exchange.bucket, exchange.key);
  if (object && object->etag == etag) return Report(exchange, *object);
  return Refusal(missing);
}

}  // namespace

Outcome CompleteMultipartUpload(Exchange& exchange) {
  S3_ASSIGN(const auto claims, ReadClaims(exchange.body));
  const auto upload = UploadFor(exchange, "s3:PutObject");
  if (!upload && upload.error().code == "NoSuchUpload") return CompletedBefore(exchange, claims, upload.error());
  if (!upload) return Refusal(upload.error());
  S3_STORE(auto stored, exchange.objects.ListParts(*upload, 0, kMaxParts));
  S3_ASSIGN(const auto parts, Choose(claims, std::move(stored), *upload));
  S3_TRY(CheckObjectSize(exchange, parts));
  store::ObjectInfo info = upload->info;
  S3_TRY(FinishChecksums(exchange, parts, info));
  S3_ASSIGN(store::Precondition wanted, ReadWritePrecondition(exchange));
  wanted.since = upload->created;
  const bool keep_checksums = info.checksum_type == "COMPOSITE";
  const auto object = exchange.objects.CompleteUpload(*upload, parts, std::move(info), wanted, keep_checksums);
  if (object) return Report(exchange, *object);
  if (object.error().code() == ErrorCode::kFailedPrecondition)
    return PreconditionFailed(wanted.absent ? "If-None-Match" : "If-Match");
  if (object.error().code() == ErrorCode::kAlreadyExists)
    return ConditionalConflict(wanted.absent ? "If-None-Match" : "If-Match", exchange.key);
  if (object.error().code() == ErrorCode::kNotFound)
    return wanted.any_etag.empty() ? NoSuchUpload(upload->id) : NoSuchKey(exchange.key);
  return StoreFailure(object.error());
}

}  // namespace headrace::api::s3
