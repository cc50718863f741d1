#include "api/s3/post_policy.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <nlohmann/json.hpp>

#include "aws/error.h"
#include "aws/time.h"

namespace headrace::api::s3 {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxConditions = 1000;

tl::unexpected<ServiceError> BadDocument(std::string_view what) {
  return aws::Refuse("InvalidPolicyDocument", fmt::format("Invalid Policy: {}.", what));
}

tl::unexpected<ServiceError> Against(std::string_view what) {
  return aws::Refuse("AccessDenied", fmt::format("Invalid according to Policy: {}", what), 403);
}

std::string InSmallLetters(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

struct Condition {
  bool starts_with = false;
  std::string field, value;
  std::string text;  // as the policy has it
};

// Fields that need no condition: those that carry the signature, and what S3 ignores.
bool NeedsNoCondition(const std::string& field) {
  for (const std::string_view free :
       {"x-amz-signature", "signature", "awsaccesskeyid", "policy", "file", "bucket", "submit"})
    if (field == free) return true;
  return field.starts_with("x-ignore-");
}

std::optional<uint64_t> SizeOf(const Json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return size;
}

bool StartsWith(const Condition& condition, const std::string& value) {
  if (condition.field != "content-type") return value.starts_with(condition.value);
  // A list of types, each of which must begin so.
  for (std::string_view rest = value; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (!one.starts_with(condition.value)) return false;
  }
  return !value.empty() || condition.value.empty();
}

class PolicyJudge {
 public:
  Reply<void> Read(const Json& conditions) {
    if (!conditions.is_array() || conditions.size() > kMaxConditions) return BadDocument("Missing conditions");
    for (const Json& condition : conditions) {
      auto read = condition.is_object() ? ReadObject(condition) : ReadArray(condition);
      if (!read) return read;
    }
    return {};
  }

  Reply<SizeRange> Judge(const FormFields& fields) const {
    for (const Condition& condition : conditions_) {
      const auto found =
          std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == condition.field; });
      const std::string value = found != fields.end() ? found->second : std::string();
      const bool there = found != fields.end() || (condition.starts_with && condition.value.empty());
      if (!there || !(condition.starts_with ? StartsWith(condition, value) : value == condition.value))
        return Against("Policy Condition failed: " + condition.text);
    }
    std::set<std::string_view> conditioned, seen;
    for (const Condition& condition : conditions_) conditioned.insert(condition.field);
    for (const auto& [field, value] : fields) {
      if (NeedsNoCondition(field)) continue;
      if (!conditioned.contains(field)) return Against("Extra input fields: " + field);
      // A condition judges one value; a second one would pass unseen.
      if (!seen.insert(field).second) return Against("Extra input fields: " + field + " stands there twice");
    }
    return range_;
  }

 private:
  Reply<void> ReadObject(const Json& condition) {
    for (const auto& [name, value] : condition.items()) {
      if (!value.is_string()) return BadDocument("Invalid Simple-Condition: value must be a string");
      const std::string text = value.get<std::string>();
      conditions_.push_back(
          {false, InSmallLetters(name), text,
           Json::array({"eq", "$" + name, text}).dump(-1, ' ', false, Json::error_handler_t::replace)});
    }
    return {};
  }

  Reply<void> ReadArray(const Json& condition) {
    if (!condition.is_array() || condition.size() != 3 || !condition[0].is_string())
      return BadDocument("Invalid Condition: wanted three members");
    const std::string match = InSmallLetters(condition[0].get<std::string>());
    if (match == "content-length-range") {
      const auto least = SizeOf(condition[1]), most = SizeOf(condition[2]);
      if (!least || !most) return BadDocument("Invalid content-length-range: wanted two sizes");
      range_ = {std::max(range_.least, *least), std::min(range_.most, *most)};
      return {};
    }
    if ((match != "eq" && match != "starts-with") || !condition[1].is_string() || !condition[2].is_string())
      return BadDocument("Invalid Condition: wanted eq, starts-with or content-length-range");
    const std::string name = condition[1].get<std::string>();
    if (!name.starts_with('$')) return BadDocument("Invalid Condition: a field begins with $");
    conditions_.push_back({match == "starts-with", InSmallLetters(name.substr(1)), condition[2].get<std::string>(),
                           condition.dump(-1, ' ', false, Json::error_handler_t::replace)});
    return {};
  }

  std::vector<Condition> conditions_;
  SizeRange range_;
};

}  // namespace

Reply<SizeRange> CheckPostPolicy(const std::string& policy, const FormFields& fields, UnixMillis now) {
  const Json document = Json::parse(policy, nullptr, false);
  if (!document.is_object()) return BadDocument("Invalid JSON");
  const auto expiration = document.find("expiration");
  if (expiration == document.end() || !expiration->is_string()) return BadDocument("Policy missing expiration");
  const auto end = aws::ParseIso8601(expiration->get<std::string>());
  if (!end) return BadDocument("Invalid 'expiration' value");
  if (now >= *end) return Against("Policy expired.");
  PolicyJudge judge;
  const auto conditions = document.find("conditions");
  S3_TRY(judge.Read(conditions != document.end() ? *conditions : Json()));
  return judge.Judge(fields);
}

}  // namespace headrace::api::s3
