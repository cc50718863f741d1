#include "api/s3/tagging.h"

#include <pugixml.hpp>

#include "api/s3/exchange.h"
#include "api/s3/names.h"
#include "aws/xml.h"

namespace headrace::api::s3 {

std::string TaggingDocument(const store::Pairs& tags) {
  aws::XmlWriter xml;
  xml.Open("Tagging", kXmlns).Open("TagSet");
  for (const auto& [key, value] : tags) xml.Open("Tag").Element("Key", key).Element("Value", value).Close();
  return xml.Finish();
}

Reply<store::Pairs> ReadTaggingDocument(std::string_view text, size_t limit) {
  S3_ASSIGN(const auto document, aws::ParseXml(text));
  const pugi::xml_node set = document->child("Tagging").child("TagSet");
  if (!set) return MalformedXml();
  store::Pairs tags;
  for (const pugi::xml_node tag : set.children("Tag")) {
    if (!tag.child("Key") || !tag.child("Value")) return MalformedXml();
    tags.emplace_back(tag.child_value("Key"), tag.child_value("Value"));
  }
  S3_TRY(CheckTags(tags, limit));
  return tags;
}

}  // namespace headrace::api::s3
