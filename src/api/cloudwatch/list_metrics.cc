#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/cloudwatch/operations.h"
#include "api/input.h"
#include "aws/page_token.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr const char* kListing = "ListMetrics";
constexpr size_t kPage = 500;
constexpr UnixMillis kThreeHoursMs = 3 * 3600 * 1000LL;

Reply<store::Metrics::SeriesFilter> FilterOf(const Call& call, const Json& input) {
  store::Metrics::SeriesFilter filter;
  filter.account_id = call.caller.account_id;
  HEADRACE_REPLY_PASS(const auto name_space, OptionalText(input, "Namespace", "Namespace", 255));
  HEADRACE_REPLY_PASS(const auto name, OptionalText(input, "MetricName", "MetricName", 255));
  filter.name_space = name_space.value_or("");
  filter.name = name.value_or("");
  HEADRACE_REPLY_PASS(const auto dimensions, ListOf(input, "Dimensions", "Dimensions", 10));
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const std::string path = fmt::format("Dimensions.member.{}", i + 1);
    store::Metrics::DimensionFilter wanted;
    HEADRACE_REPLY_PASS(wanted.name, TextOf(dimensions[i], "Name", path + ".Name", 255));
    HEADRACE_REPLY_PASS(wanted.value, OptionalText(dimensions[i], "Value", path + ".Value", 1024));
    filter.dimensions.push_back(std::move(wanted));
  }
  HEADRACE_REPLY_PASS(const auto recently, OptionalText(input, "RecentlyActive", "RecentlyActive", 16));
  if (recently && *recently != "PT3H") {
    return InvalidValue(fmt::format("The parameter RecentlyActive must be PT3H, found {}.", *recently));
  }
  if (recently) filter.active_since = call.now - kThreeHoursMs;
  HEADRACE_REPLY_PASS(const auto token, OptionalText(input, "NextToken", "NextToken", 8192));
  if (token) {
    HEADRACE_REPLY_PASS(const auto position, aws::ReadPageToken(kListing, *token, "InvalidNextToken"));
    filter.after_id = std::strtoll(position.c_str(), nullptr, 10);
  }
  filter.limit = kPage + 1;
  return filter;
}

}  // namespace

Reply<Json> ListMetrics(store::Metrics& metrics, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const auto filter, FilterOf(call, input));
  HEADRACE_REPLY(auto series, metrics.List(filter));
  Json reply{{"Metrics", Json::array()}};
  if (series.size() > kPage) {
    series.pop_back();
    reply["NextToken"] = aws::MakePageToken(kListing, std::to_string(series.back().id));
  }
  for (const auto& one : series) {
    reply["Metrics"].push_back({{"Namespace", one.key.name_space},
                                {"MetricName", one.key.name},
                                {"Dimensions", DimensionsToJson(one.key.dimensions)}});
  }
  return reply;
}

}  // namespace headrace::api::cloudwatch
