#include "api/cloudwatch/fields.h"

#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr double kLargest = 0x1p360;  // what CloudWatch takes

tl::unexpected<aws::ServiceError> Refusal(const char* code, const char* query_code, std::string message) {
  return tl::unexpected<aws::ServiceError>({code, std::move(message), 400, {}, query_code});
}

std::string Shown(const Json& value) {
  std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 200) text = text.substr(0, 200) + "...";
  return text;
}

tl::unexpected<aws::ServiceError> BadValue(const Json& value, std::string_view shown) {
  return InvalidValue(fmt::format("The value {} for parameter {} is invalid.", Shown(value), shown));
}

Reply<std::string> CheckText(const Json& value, std::string_view shown, size_t longest) {
  if (!value.is_string()) return BadValue(value, shown);
  auto text = value.get<std::string>();
  if (text.empty() || text.size() > longest) {
    return InvalidValue(fmt::format("The parameter {} must be between 1 and {} characters long, found {}.", shown,
                                    longest, text.size()));
  }
  return text;
}

}  // namespace

tl::unexpected<aws::ServiceError> MissingParameter(std::string_view name) {
  return Refusal("MissingRequiredParameterException", "MissingParameter",
                 fmt::format("The parameter {} is required.", name));
}
tl::unexpected<aws::ServiceError> InvalidValue(std::string message) {
  return Refusal("InvalidParameterValueException", "InvalidParameterValue", std::move(message));
}
tl::unexpected<aws::ServiceError> InvalidCombination(std::string message) {
  return Refusal("InvalidParameterCombinationException", "InvalidParameterCombination", std::move(message));
}

const Json* Find(const Json& parent, std::string_view member) {
  if (!parent.is_object()) return nullptr;
  const auto found = parent.find(member);
  return found == parent.end() || found->is_null() ? nullptr : &*found;
}

Reply<std::vector<Json>> ListOf(const Json& parent, std::string_view member, std::string_view shown, size_t longest) {
  const Json* found = Find(parent, member);
  // Query writes an empty list as an empty value ("Dimensions=").
  if (!found || *found == "") return std::vector<Json>();
  if (!found->is_array()) return BadValue(*found, shown);
  if (found->size() > longest) {
    return InvalidValue(fmt::format("The collection {} must not have a size greater than {}, found {}.", shown, longest,
                                    found->size()));
  }
  return found->get<std::vector<Json>>();
}

Reply<std::string> TextOf(const Json& parent, std::string_view member, std::string_view shown, size_t longest) {
  const Json* found = Find(parent, member);
  if (!found) return MissingParameter(shown);
  return CheckText(*found, shown, longest);
}

Reply<std::optional<std::string>> OptionalText(const Json& parent, std::string_view member, std::string_view shown,
                                               size_t longest) {
  const Json* found = Find(parent, member);
  if (!found) return std::optional<std::string>();
  HEADRACE_REPLY_PASS(auto text, CheckText(*found, shown, longest));
  return std::optional<std::string>(std::move(text));
}

Reply<double> NumberOf(const Json& value, std::string_view shown) {
  double number = NAN;
  if (value.is_number()) number = value.get<double>();
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return BadValue(value, shown);
  }
  if (!std::isfinite(number) || std::abs(number) > kLargest) return BadValue(value, shown);
  return number;
}

Reply<std::optional<int64_t>> OptionalInteger(const Json& parent, std::string_view member, std::string_view shown) {
  const Json* found = Find(parent, member);
  if (!found) return std::optional<int64_t>();
  HEADRACE_REPLY_PASS(const double number, NumberOf(*found, shown));
  if (number != std::floor(number) || std::abs(number) > 9e15) return BadValue(*found, shown);
  return std::optional<int64_t>(static_cast<int64_t>(number));
}

Reply<bool> BooleanOf(const Json& parent, std::string_view member, std::string_view shown, bool otherwise) {
  const Json* found = Find(parent, member);
  if (!found) return otherwise;
  if (found->is_boolean()) return found->get<bool>();
  if (*found == "true") return true;
  if (*found == "false") return false;
  return BadValue(*found, shown);
}

Reply<UnixMillis> TimeOf(const Json& parent, std::string_view member, std::string_view shown) {
  const Json* found = Find(parent, member);
  if (!found) return MissingParameter(shown);
  const auto time = ReadTime(*found);
  if (!time) return BadValue(*found, shown);
  return *time;
}

Reply<std::string> NamespaceOf(const Json& parent, std::string_view shown) {
  HEADRACE_REPLY_PASS(auto name, TextOf(parent, "Namespace", shown, 255));
  if (name[0] == ':') return BadValue(name, shown);
  return name;
}

Reply<store::Dimensions> DimensionsOf(const Json& parent, std::string_view shown) {
  HEADRACE_REPLY_PASS(const auto list, ListOf(parent, "Dimensions", shown, 30));
  store::Dimensions dimensions;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = fmt::format("{}.member.{}", shown, i + 1);
    HEADRACE_REPLY_PASS(const auto name, TextOf(list[i], "Name", path + ".Name", 255));
    HEADRACE_REPLY_PASS(const auto value, TextOf(list[i], "Value", path + ".Value", 1024));
    if (name[0] == ':') return BadValue(name, path + ".Name");
    if (!dimensions.emplace(name, value).second) {
      return InvalidValue(fmt::format("The parameter {} must not name the dimension {} twice.", shown, name));
    }
  }
  return dimensions;
}

Reply<std::string> UnitOf(const Json& parent, std::string_view shown) {
  static const std::set<std::string, std::less<>> kUnits{
      "Seconds",          "Microseconds",     "Milliseconds", "Bytes",           "Kilobytes",        "Megabytes",
      "Gigabytes",        "Terabytes",        "Bits",         "Kilobits",        "Megabits",         "Gigabits",
      "Terabits",         "Percent",          "Count",        "Bytes/Second",    "Kilobytes/Second", "Megabytes/Second",
      "Gigabytes/Second", "Terabytes/Second", "Bits/Second",  "Kilobits/Second", "Megabits/Second",  "Gigabits/Second",
      "Terabits/Second",  "Count/Second",     "None"};
  HEADRACE_REPLY_PASS(const auto unit, OptionalText(parent, "Unit", shown, 64));
  if (!unit) return std::string();
  if (!kUnits.contains(*unit)) {
    return InvalidValue(fmt::format("The parameter {} must be a value in the set [ {} ], found {}.", shown,
                                    fmt::join(kUnits, ", "), *unit));
  }
  return *unit;
}

Reply<int64_t> PeriodOf(const Json& value, std::string_view shown) {
  HEADRACE_REPLY_PASS(const double number, NumberOf(value, shown));
  const auto period = static_cast<int64_t>(number);
  const bool high_resolution = period == 1 || period == 5 || period == 10 || period == 20 || period == 30;
  if (static_cast<double>(period) != number || period < 1 || period > 86'400 * 365 ||
      (!high_resolution && period % 60 != 0)) {
    return InvalidValue(
        fmt::format("The parameter {} must be 1, 5, 10, 20, 30 or a multiple of 60, found {}.", shown, Shown(value)));
  }
  return period;
}

Json DimensionsToJson(const store::Dimensions& dimensions) {
  Json list = Json::array();
  for (const auto& [name, value] : dimensions) list.push_back({{"Name", name}, {"Value", value}});
  return list;
}

}  // namespace headrace::api::cloudwatch
