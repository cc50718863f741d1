#include <algorithm>
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

void WriteParts(const store::Object& object, aws::XmlWriter& xml) {
  if (object.info.part_sizes.empty()) return;
  xml.Open("ObjectParts").Element("TotalPartsCount", object.info.part_sizes.size()).Close();
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
    for (const auto& [algorithm, value] : object.info.checksums) xml.Element("Checksum" + algorithm, value);
    xml.Element("ChecksumType", object.info.checksum_type).Close();
  }
  if (wanted.contains("ObjectParts")) WriteParts(object, xml);
  if (wanted.contains("StorageClass")) xml.Element("StorageClass", object.info.storage_class);
  if (wanted.contains("ObjectSize")) xml.Element("ObjectSize", object.size);
  http::Response response = Xml(xml.Finish());
  response.headers.Set("Last-Modified", aws::HttpDate(object.modified));
  return response;
}

}  // namespace headrace::api::s3
