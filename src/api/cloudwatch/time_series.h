// What expressions compute with: numbers, time series, lists of time series.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aws/error.h"
#include "base/clock.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

struct TimeSeries {
  std::string label;
  UnixMillis period = 0;
  std::map<UnixMillis, double> points;
};
using SeriesList = std::vector<TimeSeries>;
using Value = std::variant<double, TimeSeries, SeriesList>;

// +, -, *, /, %, ^, comparisons and AND, OR (1 and 0). Two series combine where both have a point; a list combines
// element by element; what is no finite number is no point.
aws::Reply<Value> Combine(std::string_view op, const Value& left, const Value& right);
Value Negate(const Value& value);

// Functions that need nothing but their operands; `arguments` are values or quoted texts.
struct Argument {
  Value value;
  std::string text;
  bool is_text = false;
};
// The error names the function when there is none of that name, or what it was given.
aws::Reply<Value> CallFunction(std::string_view name, const std::vector<Argument>& arguments);

}  // namespace headrace::api::cloudwatch
