#include <algorithm>
#include <charconv>
#include <set>

#include "api/s3/access.h"
#include "api/s3/operations.h"
#include "aws/time.h"
#include "aws/xml.h"

namespace headrace::api::s3 {
namespace {

Reply<std::set<std::string>> ReadAttributes(const Exchange& exchange) {
  std::set<std::string> wanted;
  for (const auto& field : exchange.request.headers.fields()) {
    if (::strcasecmp(field.name.c_str(), "x-amz-object-attributes") != 0) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      std::string name(list.substr(0, comma));
      std::erase(name, ' ');
      list.remove_prefix(std::min(comma + 1, list.size()));
      if (name != "ETag" && name != "Checksum" && name != "ObjectParts" && name != "StorageClass" &&
          name != "ObjectSize")
        return InvalidArgument("x-amz-object-attributes", name, "Invalid attribute name specified.");
      wanted.insert(std::move(name));
    }
  }
  if (wanted.empty())
    return InvalidArgument(
        "x-amz-object-attributes", "",
        "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty");
  return wanted;
}

constexpr size_t kMaxPartsShown = 1000;

Reply<size_t> CountField(const Exchange& exchange, const char* name, size_t otherwise, size_t limit) {
  const std::string text = exchange.Header(name);
  if (text.empty()) return otherwise;
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return InvalidArgument(name, text, fmt::format("Argument {} must be an integer between 0 and 2147483647", name));
  return std::min(static_cast<size_t>(value), limit);
}

// How many parts, and each with its checksum where the upload's type keeps those.
Reply<void> WriteParts(const Exchange& exchange, const store::Object& object, aws::XmlWriter& xml) {
  const auto& sizes = object.info.part_sizes;
  if (sizes.empty()) return {};
  S3_ASSIGN(const size_t limit, CountField(exchange, "x-amz-max-parts", kMaxPartsShown, kMaxPartsShown));
  S3_ASSIGN(const size_t marker, CountField(exchange, "x-amz-part-number-marker", 0, 10'000));
  xml.Open("ObjectParts").Element("PartsCount", sizes.size());
  if (object.info.checksum_type == "COMPOSITE") {
    S3_STORE(auto checksums, exchange.objects.ListPartChecksums(object, static_cast<int>(marker), limit));
    const size_t first = std::min(marker, sizes.size()), last = std::min(first + limit, sizes.size());
    xml.Element("PartNumberMarker", marker).Element("NextPartNumberMarker", limit > 0 ? last : marker);
    xml.Element("MaxParts", limit).Element("IsTruncated", last < sizes.size() && limit > 0);
    for (size_t i = first; i < last; ++i) {
      xml.Open("Part").Element("PartNumber", i + 1).Element("Size", sizes[i]);
      for (const auto& [algorithm, value] : checksums[static_cast<int>(i) + 1])
        xml.Element("Checksum" + algorithm, value);
      xml.Close();
    }
  }
  xml.Close();
  return {};
}

}  // namespace

Outcome GetObjectAttributes(Exchange& exchange) {
  S3_ASSIGN(const auto wanted, ReadAttributes(exchange));
  S3_ASSIGN(const store::Bucket bucket, BucketFor(exchange, ""));
  S3_ASSIGN(const store::Object object, ObjectFor(exchange, bucket, "s3:GetObjectAttributes"));
  aws::XmlWriter xml;
  xml.Open("GetObjectAttributesResponse", kXmlns);
  if (wanted.contains("ETag")) xml.Element("ETag", object.etag);
  if (wanted.contains("Checksum") && !object.info.checksums.empty()) {
    xml.Open("Checksum");
    // A composite one without its "-N", which only this operation leaves out.
    for (const auto& [algorithm, value] : object.info.checksums)
      xml.Element("Checksum" + algorithm, value.substr(0, value.find('-')));
    xml.Element("ChecksumType", object.info.checksum_type).Close();
  }
  if (wanted.contains("ObjectParts")) S3_TRY(WriteParts(exchange, object, xml));
  if (wanted.contains("StorageClass")) xml.Element("StorageClass", object.info.storage_class);
  if (wanted.contains("ObjectSize")) xml.Element("ObjectSize", object.size);
  http::Response response = Xml(xml.Finish());
  response.headers.Set("Last-Modified", aws::HttpDate(object.modified));
  return response;
}

}  // namespace headrace::api::s3
