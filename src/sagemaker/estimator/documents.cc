#include "sagemaker/estimator/documents.h"

#include "aws/time.h"
#include "base/clock.h"
#include "sagemaker/transport/http.h"

namespace headrace::sagemaker {
namespace {

constexpr size_t kMaxName = 63;

std::string InputText(std::string_view operation, const Json& input) {
  try {
    return input.dump();
  } catch (const Json::exception&) {
    ThrowInvalid(std::string(operation) + ": found text that is not UTF-8");
  }
}

}  // namespace

Json CallWith(const Client& client, std::string_view operation, const Json& input, const std::stop_token& stop) {
  const std::string reply = client.Call(operation, InputText(operation, input), {.stop = stop}).value();
  Json document = Json::parse(reply, nullptr, false);
  if (!document.is_object())
    throw LocalError(ErrorCode::kDataLoss, "InvalidReply", std::string(operation) + ": the answer is no JSON object");
  return document;
}

std::string TextMember(const Json& document, const char* name) {
  const auto found = document.find(name);
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

double NumberMember(const Json& document, const char* name, double otherwise) {
  const auto found = document.find(name);
  return found != document.end() && found->is_number() ? found->get<double>() : otherwise;
}

const Json& ListMember(const Json& document, const char* name) {
  static const Json kEmpty = Json::array();
  const auto found = document.find(name);
  return found != document.end() && found->is_array() ? *found : kEmpty;
}

const Json& ObjectMember(const Json& document, const char* name) {
  static const Json kEmpty = Json::object();
  const auto found = document.find(name);
  return found != document.end() && found->is_object() ? *found : kEmpty;
}

void PutText(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

Json TagList(const std::vector<Tag>& tags) {
  Json list = Json::array();
  for (const Tag& tag : tags) list.push_back({{"Key", tag.key}, {"Value", tag.value}});
  return list;
}

std::string BaseFromName(const std::string& name) {
  constexpr std::string_view kTime = "-dddd-dd-dd-dd-dd-dd-ddd";
  if (name.size() <= kTime.size()) return name;
  const std::string_view end = std::string_view(name).substr(name.size() - kTime.size());
  for (size_t i = 0; i < kTime.size(); ++i) {
    const bool digit = end[i] >= '0' && end[i] <= '9';
    if (kTime[i] == 'd' ? !digit : end[i] != '-') return name;
  }
  return name.substr(0, name.size() - kTime.size());
}

std::string name_from_base(const std::string& base) {
  std::string time = aws::Iso8601Millis(SystemClock().Now());  // 2026-01-02T03:04:05.678Z
  time.pop_back();
  for (char& c : time) {
    if (c < '0' || c > '9') c = '-';
  }
  return base.substr(0, kMaxName - time.size() - 1) + "-" + time;
}

void ThrowInvalid(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

}  // namespace headrace::sagemaker
