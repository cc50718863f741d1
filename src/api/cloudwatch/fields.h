// Members of a CloudWatch request: their checks and the refusals in CloudWatch's own words. Every function takes the
// name as the error shall show it, which for members of lists is a path: "MetricData.member.1.Unit".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/service.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

using aws::Json;
using aws::Reply;

tl::unexpected<aws::ServiceError> MissingParameter(std::string_view name);
tl::unexpected<aws::ServiceError> InvalidValue(std::string message);
tl::unexpected<aws::ServiceError> InvalidCombination(std::string message);

// nullptr when absent or null.
const Json* Find(const Json& parent, std::string_view member);
// An empty list when absent.
Reply<std::vector<Json>> ListOf(const Json& parent, std::string_view member, std::string_view shown, size_t longest);
Reply<std::string> TextOf(const Json& parent, std::string_view member, std::string_view shown,
                          size_t longest);  // required
Reply<std::optional<std::string>> OptionalText(const Json& parent, std::string_view member, std::string_view shown,
                                               size_t longest);
Reply<double> NumberOf(const Json& value, std::string_view shown);  // finite
Reply<std::optional<int64_t>> OptionalInteger(const Json& parent, std::string_view member, std::string_view shown);
Reply<bool> BooleanOf(const Json& parent, std::string_view member, std::string_view shown, bool otherwise);
Reply<UnixMillis> TimeOf(const Json& parent, std::string_view member, std::string_view shown);  // required
Reply<std::string> NamespaceOf(const Json& parent, std::string_view shown);
Reply<store::Dimensions> DimensionsOf(const Json& parent, std::string_view shown);
Reply<std::string> UnitOf(const Json& parent, std::string_view shown);  // "" when absent
// Seconds: 1, 5, 10, 20, 30 or a multiple of 60.
Reply<int64_t> PeriodOf(const Json& value, std::string_view shown);

Json DimensionsToJson(const store::Dimensions& dimensions);

}  // namespace headrace::api::cloudwatch
