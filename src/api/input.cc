#include "api/input.h"

#include <charconv>
#include <cmath>

#include "aws/time.h"

namespace headrace::api {

using Json = nlohmann::json;

namespace {

// Beyond this many seconds a point in time does not fit milliseconds in 64 bits.
constexpr double kLatestSecond = 9e15;

const Json* Member(const Json& input, std::string_view name) {
  const auto found = input.find(name);
  return found == input.end() || found->is_null() ? nullptr : &*found;
}

std::optional<UnixMillis> FromSeconds(double seconds) {
  if (!std::isfinite(seconds) || std::abs(seconds) > kLatestSecond) return std::nullopt;
  return static_cast<UnixMillis>(std::llround(seconds * 1000));
}

}  // namespace

std::string TextOr(const Json& input, std::string_view member, std::string_view otherwise) {
  const Json* found = Member(input, member);
  return found ? found->get<std::string>() : std::string(otherwise);
}

int64_t IntegerOr(const Json& input, std::string_view member, int64_t otherwise) {
  const Json* found = Member(input, member);
  if (!found) return otherwise;
  return found->is_number_float() ? static_cast<int64_t>(found->get<double>()) : found->get<int64_t>();
}

bool BooleanOr(const Json& input, std::string_view member, bool otherwise) {
  const Json* found = Member(input, member);
  return found ? found->get<bool>() : otherwise;
}

std::optional<UnixMillis> ReadTime(const Json& value) {
  if (value.is_number()) return FromSeconds(value.get<double>());
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) return FromSeconds(seconds);
  return aws::ParseIso8601(text);
}

std::optional<UnixMillis> TimeIn(const Json& input, std::string_view member) {
  const Json* found = Member(input, member);
  return found ? ReadTime(*found) : std::nullopt;
}

double Seconds(UnixMillis time) { return static_cast<double>(time) / 1000; }

aws::ServiceError ServerFault(const Error& error) {
  if (error.code() == ErrorCode::kResourceExhausted) return {"ServiceUnavailable", error.message(), 503, {}, {}};
  return {"InternalFailure", error.message(), 500, {}, {}};
}

}  // namespace headrace::api
