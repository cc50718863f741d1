// XML documents from clients, and our own escaping read back.
#include <string_view>

#include <pugixml.hpp>

#include "aws/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  headrace::aws::ParseXml(text);
  headrace::aws::XmlWriter xml;
  xml.Open("A").Element("B", text);
  if (size < 1000 && !headrace::aws::ParseXml(xml.Finish())) __builtin_trap();
  return 0;
}
