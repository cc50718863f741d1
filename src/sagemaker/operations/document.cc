#include "sagemaker/operations/document.h"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "aws/time.h"
#include "sagemaker/transport/http.h"

namespace headrace::operations {
namespace {

template <typename Number>
Number NumberOf(const Json& document) {
  if (!document.is_string()) return document.get<Number>();
  const auto& text = document.get_ref<const std::string&>();
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument("found '" + text + "', wanted a number");
  return number;
}

Timestamp FromMillis(int64_t millis) { return Timestamp(std::chrono::milliseconds(millis)); }

const headrace::sagemaker::Client& ClientOf(const Session& session, const std::string& service) {
  if (service == "logs") return session.logs();
  if (service == "cloudwatch") return session.cloudwatch();
  if (service == "sts") return session.sts();
  if (service == "iam") return session.iam();
  return session.sagemaker();
}

}  // namespace

Json ToJson(const std::string& value) { return value; }
Json ToJson(int64_t value) { return value; }
Json ToJson(bool value) { return value; }
Json ToJson(double value) { return value; }
Json ToJson(Timestamp value) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(value.time_since_epoch()).count()) /
         1000;
}

void Read(const Json& document, std::string& value) { value = document.get<std::string>(); }
void Read(const Json& document, int64_t& value) { value = NumberOf<int64_t>(document); }
void Read(const Json& document, double& value) { value = NumberOf<double>(document); }
void Read(const Json& document, bool& value) {
  value = document.is_string() ? document.get_ref<const std::string&>() == "true" : document.get<bool>();
}
void Read(const Json& document, Timestamp& value) {
  if (!document.is_string()) {
    value = FromMillis(std::llround(document.get<double>() * 1000));
    return;
  }
  const auto millis = aws::ParseIso8601(document.get_ref<const std::string&>());
  if (!millis)
    throw std::invalid_argument("found '" + document.get<std::string>() + "', wanted a point in time (ISO 8601)");
  value = FromMillis(*millis);
}

const Json* Reader::Find(const char* name) const {
  if (object_.is_string()) return nullptr;  // XML's empty structure
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Outcome<Json> SendDocument(const Session& session, const std::string& service, const char* operation,
                           const Json& request, const CallOptions& options) {
  const auto reply = ClientOf(session, service).Call(operation, request.dump(), options);
  if (!reply) return reply.error();
  return reply->empty() ? Json::object() : Json::parse(*reply);
}

Outcome<void> Checked(const char* operation, const std::function<void()>& read) {
  try {
    read();
    return {};
  } catch (const std::exception& error) {
    return headrace::sagemaker::LocalError(ErrorCode::kDataLoss, "InvalidReply",
                                           std::string(operation) + ": " + error.what());
  }
}

}  // namespace headrace::operations
