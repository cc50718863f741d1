// XML as S3 and Query speak it: a small writer that escapes, and pugixml behind bounds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/error.h"

namespace pugi {
class xml_document;
class xml_node;
}  // namespace pugi

namespace headrace::aws {

// What becomes of characters that XML 1.0 has not (most control characters): U+FFFD, or references ("&#x1;"), which
// tell them apart and which strict parsers refuse. S3 writes keys in the latter way.
enum class Unspeakable { kReplaced, kReferred };

//   XmlWriter xml;
//   xml.Open("ListBucketResult", "http://s3.amazonaws.com/doc/2006-03-01/").Element("Name", bucket);
//   xml.Open("Contents").Element("Key", key).Element("Size", size).Close().Close();
//   response.body = xml.Finish();
class XmlWriter {
 public:
  explicit XmlWriter(Unspeakable unspeakable = Unspeakable::kReplaced);
  XmlWriter& Open(std::string_view name, std::string_view xmlns = {});
  XmlWriter& Close();
  XmlWriter& Element(std::string_view name, std::string_view text);
  XmlWriter& Element(std::string_view name, const std::string& text) { return Element(name, std::string_view(text)); }
  XmlWriter& Element(std::string_view name, const char* text) { return Element(name, std::string_view(text)); }
  XmlWriter& Element(std::string_view name, bool value);
  template <typename Number>
  requires std::is_integral_v<Number> XmlWriter& Element(std::string_view name, Number value) {
    return Element(name, std::string_view(std::to_string(value)));
  }
  // <name attribute="value"…> stays open.
  XmlWriter& OpenWith(std::string_view name, const std::vector<std::pair<std::string, std::string>>& attributes);
  // Closes what is open and hands the document out.
  std::string Finish();

 private:
  Unspeakable unspeakable_;
  std::string text_;
  std::vector<std::string> open_;
};

// Escapes & < > " and control characters that XML can only carry as references; bytes that are not UTF-8 and
// characters that XML cannot carry at all become U+FFFD, the latter references where `unspeakable` says so.
std::string XmlEscape(std::string_view text, Unspeakable unspeakable = Unspeakable::kReplaced);

// Parses a document of bounded size and depth, without DTDs or entities beyond XML's own. MalformedXML on failure.
Reply<std::unique_ptr<pugi::xml_document>> ParseXml(std::string_view text);

}  // namespace headrace::aws
