#include "aws/json_codec.h"

#include <fmt/format.h>

#include "aws/limits.h"

namespace headrace::aws {
namespace {

// Depth and number of values, by looking at punctuation outside strings.
Reply<void> CheckShape(std::string_view text) {
  int depth = 0;
  size_t values = 1;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') {
      ++values;
      if (++depth > kMaxNesting)
        return Refuse("SerializationException", fmt::format("The body nests deeper than {} levels.", kMaxNesting));
    }
    if (c == '}' || c == ']') --depth;
    if (c == ',' && ++values > kMaxValues)
      return Refuse("SerializationException", fmt::format("The body holds more than {} values.", kMaxValues));
  }
  return {};
}

}  // namespace

Reply<Json> DecodeJson(std::string_view text) {
  if (text.empty()) return Json::object();
  if (auto shape = CheckShape(text); !shape) return tl::unexpected(shape.error());
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return Refuse("SerializationException", "The body is not valid JSON in UTF-8.");
  if (!value.is_object()) return Refuse("SerializationException", "Start of structure or map expected.");
  return value;
}

std::string EncodeJson(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json ErrorDocument(const ServiceError& error) {
  Json document = {{"__type", error.code}, {"message", error.message}};
  for (const auto& [name, text] : error.details) document[name] = text;
  return document;
}

}  // namespace headrace::aws
