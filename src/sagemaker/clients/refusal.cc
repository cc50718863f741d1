// Refusals as the protocols write them: JSON with a type, XML with a code, or nothing but a status.
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "aws/xml.h"
#include "sagemaker/clients/call.h"
#include "sagemaker/transport/retry.h"

namespace headrace::sagemaker {
namespace {

struct Words {
  std::string code, message, request_id;
};

std::string Member(const nlohmann::json& document, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = document.find(name);
    if (found != document.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

Words WordsOfJson(const HttpReply& reply) {
  Words words{reply.Header("x-amzn-ErrorType"), {}, {}};
  const auto document = nlohmann::json::parse(reply.body, nullptr, false);
  if (document.is_object()) {
    if (words.code.empty()) words.code = Member(document, {"__type", "code", "Code"});
    words.message = Member(document, {"message", "Message", "OriginalMessage"});
  }
  words.code = words.code.substr(0, words.code.find(':'));  // "Code:http://..."
  if (const size_t hash = words.code.find('#'); hash != std::string::npos)
    words.code.erase(0, hash + 1);                                     // "namespace#Code"
  const std::string query_error = reply.Header("x-amzn-query-error");  // "Code;Sender"
  if (!query_error.empty()) words.code = query_error.substr(0, query_error.find(';'));
  return words;
}

Words WordsOfXml(const HttpReply& reply) {
  auto document = aws::ParseXml(reply.body);
  if (!document) return {};
  const pugi::xml_node root = (*document)->document_element();
  const pugi::xml_node nested = root.child("Error");  // Query wraps it, S3 does not
  const pugi::xml_node error = nested ? nested : root;
  return {error.child_value("Code"), error.child_value("Message"), root.child_value("RequestId")};
}

ErrorCode CodeOf(int status, const Words& words, bool retryable) {
  const auto says = [](std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
  };
  if (retryable) return ErrorCode::kUnavailable;
  if (status == 404 || says(words.code, "NotFound") || says(words.code, "NoSuch") ||
      says(words.message, "Could not find") || says(words.message, "resource not found"))
    return ErrorCode::kNotFound;
  if (says(words.code, "AlreadyExist") || says(words.code, "AlreadyOwned") || says(words.code, "ResourceInUse") ||
      says(words.message, "already exist"))
    return ErrorCode::kAlreadyExists;
  return status == 403 ? ErrorCode::kFailedPrecondition : ErrorCode::kInvalidArgument;
}

}  // namespace

ServiceError ReadRefusal(const std::string& operation, const HttpReply& reply) {
  Words words = reply.body.starts_with('<') ? WordsOfXml(reply) : WordsOfJson(reply);
  if (words.code.empty()) words.code = std::to_string(reply.status);
  for (const char* header : {"x-amz-request-id", "x-amzn-RequestId"}) {
    if (const std::string id = reply.Header(header); !id.empty()) words.request_id = id;
  }
  const bool retryable = TroubleOf(reply.status, words.code) != Trouble::kNone;
  ServiceError error(CodeOf(reply.status, words, retryable),
                     operation + ": " + words.code + (words.message.empty() ? "" : ": " + words.message));
  error.service_code = words.code;
  error.status = reply.status;
  error.request_id = words.request_id;
  error.retryable = retryable;
  return error;
}

}  // namespace headrace::sagemaker
