#include "apps/comparison/instance_prices.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace headrace::apps::comparison {
namespace {

std::string_view WithoutSpaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<double> Price(std::string_view text) {
  double price = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), price);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(price) || price < 0)
    return std::nullopt;
  return price;
}

}  // namespace

Result<InstancePrices> InstancePrices::Parse(const std::string& text) {
  InstancePrices prices;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const std::string_view entry = WithoutSpaces(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (entry.empty()) continue;
    const size_t equals = entry.find('=');
    const std::string_view type = WithoutSpaces(entry.substr(0, equals));
    const auto price = equals == std::string_view::npos ? std::nullopt : Price(WithoutSpaces(entry.substr(equals + 1)));
    if (type.empty() || !price)
      return Fail(ErrorCode::kInvalidArgument,
                  "instance-prices: found '{}', wanted an instance type and its price an hour, such as "
                  "'ml.m5.large=0.115'",
                  entry);
    if (!prices.prices_.emplace(type, *price).second)
      return Fail(ErrorCode::kInvalidArgument, "instance-prices: {} has two prices, wanted one", type);
  }
  return prices;
}

std::optional<double> InstancePrices::PerHour(const std::string& instance_type) const {
  const auto found = prices_.find(instance_type);
  return found == prices_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace headrace::apps::comparison
