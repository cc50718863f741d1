#include "sagemaker/clients/query.h"

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "aws/xml.h"
#include "sagemaker/transport/http.h"
#include "sagemaker/transport/signing.h"

namespace headrace::sagemaker {
namespace {

void AddParameter(std::string& form, const std::string& name, const nlohmann::json& value) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) AddParameter(form, name.empty() ? key : name + "." + key, member);
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) AddParameter(form, name + ".member." + std::to_string(i + 1), value[i]);
  } else if (!value.is_null()) {
    form += "&" + UriEncode(name) + "=" + UriEncode(value.is_string() ? value.get<std::string>() : value.dump());
  }
}

nlohmann::json OfNode(const pugi::xml_node& node) {
  if (node.child("member")) {
    auto list = nlohmann::json::array();
    for (const pugi::xml_node& member : node.children("member")) list.push_back(OfNode(member));
    return list;
  }
  auto object = nlohmann::json::object();
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_element) object[child.name()] = OfNode(child);
  }
  if (object.empty()) return node.child_value();
  return object;
}

}  // namespace

std::string QueryForm(std::string_view operation, std::string_view version, const nlohmann::json& input) {
  std::string form = "Action=" + std::string(operation) + "&Version=" + std::string(version);
  AddParameter(form, "", input);
  return form;
}

Outcome<nlohmann::json> ReadQueryReply(std::string_view operation, std::string_view body) {
  const std::string name(operation);
  auto document = aws::ParseXml(body);
  if (!document) return LocalError(ErrorCode::kDataLoss, "InvalidReply", name + ": the answer is not XML");
  auto result = OfNode((*document)->document_element().child((name + "Result").c_str()));
  if (!result.is_object()) return nlohmann::json::object();
  return result;
}

}  // namespace headrace::sagemaker
