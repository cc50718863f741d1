#include "aws/query_codec.h"

#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "aws/limits.h"
#include "aws/time.h"
#include "aws/xml.h"

namespace headrace::aws {
namespace {

// The names' dots as a tree.
struct Node {
  std::optional<std::string> value;
  std::map<std::string, Node, std::less<>> children;
};

Reply<void> Insert(Node& root, std::string_view name, const std::string& value) {
  Node* node = &root;
  for (int depth = 0;; ++depth) {
    if (depth > kMaxNesting)
      return Refuse("MalformedQueryString", fmt::format("Parameters nest deeper than {} levels.", kMaxNesting));
    const size_t dot = name.find('.');
    const std::string_view segment = name.substr(0, dot);
    if (segment.empty()) return Refuse("MalformedQueryString", "A parameter's name has an empty part.");
    node = &node->children[std::string(segment)];
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  node->value = value;
  return {};
}

std::optional<unsigned> Number(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Reply<Json> ToJson(const Node& node);

// The numbered children in numeric order, whatever numbers they bear.
Reply<std::vector<const Node*>> Numbered(const Node& node) {
  std::map<unsigned, const Node*> sorted;
  for (const auto& [name, child] : node.children) {
    const auto number = Number(name);
    if (!number) return Refuse("MalformedQueryString", fmt::format("'{}': wanted a number.", name.substr(0, 64)));
    sorted[*number] = &child;
  }
  std::vector<const Node*> children;
  children.reserve(sorted.size());
  for (const auto& [number, child] : sorted) children.push_back(child);
  return children;
}

Reply<Json> ToList(const Node& members) {
  auto children = Numbered(members);
  if (!children) return tl::unexpected(children.error());
  Json list = Json::array();
  for (const Node* child : *children) {
    auto value = ToJson(*child);
    if (!value) return value;
    list.push_back(std::move(*value));
  }
  return list;
}

Reply<Json> ToMap(const Node& entries) {
  auto children = Numbered(entries);
  if (!children) return tl::unexpected(children.error());
  Json map = Json::object();
  for (const Node* child : *children) {
    const auto key = child->children.find("key"), value = child->children.find("value");
    if (key == child->children.end() || !key->second.value || value == child->children.end())
      return Refuse("MalformedQueryString", "A map's entry needs a key and a value.");
    auto converted = ToJson(value->second);
    if (!converted) return converted;
    map[*key->second.value] = std::move(*converted);
  }
  return map;
}

Reply<Json> ToJson(const Node& node) {
  if (node.value) {
    if (!node.children.empty())
      return Refuse("MalformedQueryString", "A parameter is both a value and the start of others.");
    return Json(*node.value);
  }
  if (node.children.size() == 1) {
    const auto& [name, only] = *node.children.begin();
    if (name == "member") return ToList(only);
    if (name == "entry") return ToMap(only);
  }
  Json object = Json::object();
  for (const auto& [name, child] : node.children) {
    auto value = ToJson(child);
    if (!value) return value;
    object[name] = std::move(*value);
  }
  return object;
}

std::string TimestampText(const Json& value) {
  if (!value.is_number()) return value.is_string() ? value.get<std::string>() : value.dump();
  return Iso8601(std::llround(value.get<double>() * 1000));
}

std::string LeafText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

class ReplyWriter {
 public:
  explicit ReplyWriter(const Service& service) : service_(service) {}

  void Members(const Json& object) {
    for (const auto& [name, value] : object.items()) Value(name, value, service_.timestamps.contains(name));
  }
  XmlWriter& xml() { return xml_; }

 private:
  void Value(const std::string& name, const Json& value, bool is_time) {
    if (value.is_null()) return;
    if (value.is_object()) {
      xml_.Open(name);
      service_.maps.contains(name) ? Entries(value) : Members(value);
      xml_.Close();
    } else if (value.is_array()) {
      xml_.Open(name);
      for (const Json& member : value) Value("member", member, is_time);
      xml_.Close();
    } else {
      xml_.Element(name, is_time ? TimestampText(value) : LeafText(value));
    }
  }

  void Entries(const Json& map) {
    for (const auto& [key, value] : map.items()) {
      xml_.Open("entry");
      xml_.Element("key", key);
      Value("value", value, false);
      xml_.Close();
    }
  }

  const Service& service_;
  XmlWriter xml_;
};

}  // namespace

Reply<QueryCall> DecodeQuery(const std::vector<std::pair<std::string, std::string>>& parameters) {
  if (parameters.size() > kMaxParameters)
    return Refuse("MalformedQueryString", fmt::format("The form has more than {} parameters.", kMaxParameters));
  QueryCall call;
  Node root;
  size_t parts = 0;
  for (const auto& [name, value] : parameters) {
    if (name == "Action") {
      call.action = value;
    } else if (name == "Version") {
      call.version = value;
    } else if (!name.starts_with("X-Amz-")) {
      parts += static_cast<size_t>(std::count(name.begin(), name.end(), '.')) + 1;
      if (parts > kMaxValues)
        return Refuse("MalformedQueryString", fmt::format("The form holds more than {} values.", kMaxValues));
      if (auto inserted = Insert(root, name, value); !inserted) return tl::unexpected(inserted.error());
    }
  }
  call.input = Json::object();
  for (const auto& [name, child] : root.children) {
    auto value = ToJson(child);
    if (!value) return tl::unexpected(value.error());
    call.input[name] = std::move(*value);
  }
  return call;
}

std::string EncodeQueryReply(const Service& service, std::string_view action, const Json& reply,
                             std::string_view request_id) {
  ReplyWriter writer(service);
  writer.xml().Open(fmt::format("{}Response", action), service.xml_namespace).Open(fmt::format("{}Result", action));
  writer.Members(reply);
  writer.xml().Close().Open("ResponseMetadata").Element("RequestId", request_id);
  return writer.xml().Finish();
}

std::string EncodeQueryError(const Service* service, const ServiceError& error, std::string_view request_id) {
  XmlWriter xml;
  xml.Open("ErrorResponse", service != nullptr ? std::string_view(service->xml_namespace) : std::string_view());
  xml.Open("Error")
      .Element("Type", error.status < 500 ? "Sender" : "Receiver")
      .Element("Code", error.query_code.empty() ? error.code : error.query_code)
      .Element("Message", error.message);
  for (const auto& [name, text] : error.details) xml.Element(name, text);
  xml.Close().Element("RequestId", request_id);
  return xml.Finish();
}

}  // namespace headrace::aws
