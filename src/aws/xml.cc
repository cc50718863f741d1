#include "aws/xml.h"

#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/limits.h"

namespace headrace::aws {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The length of the character that starts `text`, or 0 when it is no valid UTF-8 or XML cannot carry it.
size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  uint32_t code = first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0u) != 0x80) return 0;
    code = code << 6 | (byte & 0x3fu);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || code == 0xfffe ||
      code == 0xffff)
    return 0;
  return length;
}

// Deepest nesting of elements, from the tags alone. pugixml itself parses without recursion, but walking the tree
// afterwards may recurse.
bool TooDeep(std::string_view text) {
  int depth = 0;
  size_t elements = 0;
  for (size_t i = text.find('<'); i != std::string_view::npos; i = text.find('<', i + 1)) {
    if (i + 1 >= text.size()) break;
    const char next = text[i + 1];
    if (next == '/') {
      --depth;
    } else if (next != '?' && next != '!') {
      const size_t end = text.find('>', i);
      if (++elements > kMaxValues) return true;
      if (end != std::string_view::npos && text[end - 1] == '/') continue;
      if (++depth > kMaxNesting) return true;
    }
  }
  return false;
}

}  // namespace

std::string XmlEscape(std::string_view text, Unspeakable unspeakable) {
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 16);
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    switch (text[0]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\r':
        escaped += "&#13;";
        break;
      default:
        if (length > 0) {
          escaped += text.substr(0, length);
        } else if (unspeakable == Unspeakable::kReferred && static_cast<unsigned char>(text[0]) < 0x20) {
          escaped += fmt::format("&#x{:x};", static_cast<unsigned char>(text[0]));
        } else {
          escaped += kReplacement;
        }
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return escaped;
}

XmlWriter::XmlWriter(Unspeakable unspeakable)
    : unspeakable_(unspeakable), text_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

XmlWriter& XmlWriter::Open(std::string_view name, std::string_view xmlns) {
  text_.append("<").append(name);
  if (!xmlns.empty()) text_.append(" xmlns=\"").append(XmlEscape(xmlns)).append("\"");
  text_ += '>';
  open_.emplace_back(name);
  return *this;
}

XmlWriter& XmlWriter::OpenWith(std::string_view name,
                               const std::vector<std::pair<std::string, std::string>>& attributes) {
  text_.append("<").append(name);
  for (const auto& [key, value] : attributes)
    text_.append(" ").append(key).append("=\"").append(XmlEscape(value)).append("\"");
  text_ += '>';
  open_.emplace_back(name);
  return *this;
}

XmlWriter& XmlWriter::Close() {
  text_.append("</").append(open_.back()).append(">");
  open_.pop_back();
  return *this;
}

XmlWriter& XmlWriter::Element(std::string_view name, std::string_view text) {
  text_.append("<")
      .append(name)
      .append(">")
      .append(XmlEscape(text, unspeakable_))
      .append("</")
      .append(name)
      .append(">");
  return *this;
}

XmlWriter& XmlWriter::Element(std::string_view name, bool value) {
  return Element(name, std::string_view(value ? "true" : "false"));
}

std::string XmlWriter::Finish() {
  while (!open_.empty()) Close();
  return std::move(text_);
}

Reply<std::unique_ptr<pugi::xml_document>> ParseXml(std::string_view text) {
  const auto malformed = [](std::string message) { return Refuse("MalformedXML", std::move(message)); };
  if (text.size() > kMaxXmlBody) return malformed(fmt::format("The XML is longer than {} bytes.", kMaxXmlBody));
  if (TooDeep(text))
    return malformed(
        fmt::format("The XML nests deeper than {} levels or has over {} elements.", kMaxNesting, kMaxValues));
  auto document = std::make_unique<pugi::xml_document>();
  // Without parse_doctype a DTD is skipped unread; entities other than XML's five stay text.
  const auto parsed = document->load_buffer(text.data(), text.size(),
                                            pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
  if (!parsed || !document->document_element())
    return malformed("The XML you provided was not well-formed or did not validate against our published schema.");
  return document;
}

}  // namespace headrace::aws
