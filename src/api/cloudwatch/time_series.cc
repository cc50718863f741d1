#include "api/cloudwatch/time_series.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

double Apply(std::string_view op, double a, double b) {
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return a * b;
  if (op == "/") return a / b;
  if (op == "%") return std::fmod(a, b);
  if (op == "^") return std::pow(a, b);
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  if (op == ">=") return a >= b;
  if (op == "AND") return a != 0 && b != 0;
  return a != 0 || b != 0;  // OR
}

void Put(TimeSeries& series, UnixMillis time, double value) {
  if (std::isfinite(value)) series.points[time] = value;
}

TimeSeries Like(const TimeSeries& series) { return {series.label, series.period, {}}; }

TimeSeries Combined(std::string_view op, const TimeSeries& a, const TimeSeries& b) {
  TimeSeries result = Like(a);
  result.period = std::max(a.period, b.period);
  for (const auto& [time, value] : a.points) {
    if (const auto other = b.points.find(time); other != b.points.end())
      Put(result, time, Apply(op, value, other->second));
  }
  return result;
}

TimeSeries Mapped(const TimeSeries& series, const std::function<double(double)>& map) {
  TimeSeries result = Like(series);
  for (const auto& [time, value] : series.points) Put(result, time, map(value));
  return result;
}

// Runs `work` on a series, or on each of a list.
Value Each(const Value& value, const std::function<TimeSeries(const TimeSeries&)>& work) {
  if (const auto* one = std::get_if<TimeSeries>(&value)) return work(*one);
  SeriesList results;
  for (const auto& series : std::get<SeriesList>(value)) results.push_back(work(series));
  return results;
}

tl::unexpected<aws::ServiceError> Wrong(std::string_view name, std::string_view wanted) {
  return InvalidValue(fmt::format("Error in expression: {} wants {}", name, wanted));
}

// ---- reductions: over the points of a series to a number, over the series of a list to a series

struct Moments {
  double count = 0, sum = 0, squares = 0, minimum = INFINITY, maximum = -INFINITY;
  void Add(double value) {
    ++count;
    sum += value;
    squares += value * value;
    minimum = std::min(minimum, value);
    maximum = std::max(maximum, value);
  }
  double Reduce(std::string_view name) const {
    if (name == "SUM") return sum;
    if (name == "AVG") return sum / count;
    if (name == "MIN") return minimum;
    if (name == "MAX") return maximum;
    if (name == "STDDEV") return std::sqrt(std::max(squares / count - sum / count * (sum / count), 0.0));
    return count;  // DATAPOINT_COUNT, METRIC_COUNT
  }
};

Value Reduced(std::string_view name, const Value& value) {
  if (const auto* series = std::get_if<TimeSeries>(&value)) {
    Moments moments;
    for (const auto& [time, point] : series->points) moments.Add(point);
    const double result = moments.Reduce(name);
    return std::isfinite(result) ? result : 0.0;
  }
  std::map<UnixMillis, Moments> columns;
  TimeSeries result;
  for (const auto& series : std::get<SeriesList>(value)) {
    result.period = std::max(result.period, series.period);
    for (const auto& [time, point] : series.points) columns[time].Add(point);
  }
  for (const auto& [time, moments] : columns) Put(result, time, moments.Reduce(name));
  return result;
}

// ---- point by point

const std::map<std::string_view, double (*)(double), std::less<>>& Maps() {
  static const std::map<std::string_view, double (*)(double), std::less<>> kMaps{
      {"ABS", [](double x) { return std::abs(x); }},     {"CEIL", [](double x) { return std::ceil(x); }},
      {"FLOOR", [](double x) { return std::floor(x); }}, {"LOG", [](double x) { return std::log(x); }},
      {"LOG10", [](double x) { return std::log10(x); }}, {"SQRT", [](double x) { return std::sqrt(x); }},
      {"EXP", [](double x) { return std::exp(x); }}};
  return kMaps;
}

// ---- along the time of one series

TimeSeries Differences(const TimeSeries& series, bool per_second) {
  TimeSeries result = Like(series);
  for (auto point = series.points.begin(); point != series.points.end(); ++point) {
    if (point == series.points.begin()) continue;
    const auto& [before, value_before] = *std::prev(point);
    const double seconds = static_cast<double>(point->first - before) / 1000;
    Put(result, point->first, (point->second - value_before) / (per_second ? seconds : 1));
  }
  return result;
}

TimeSeries RunningSum(const TimeSeries& series) {
  TimeSeries result = Like(series);
  double sum = 0;
  for (const auto& [time, value] : series.points) Put(result, time, sum += value);
  return result;
}

// Points for the periods between the first and the last that have none.
TimeSeries Filled(const TimeSeries& series, const Argument& with) {
  TimeSeries result = series;
  if (series.period <= 0 || series.points.empty()) return result;
  auto next = series.points.begin();
  const UnixMillis end = series.points.rbegin()->first;
  for (UnixMillis time = next->first; time < end; time += series.period) {
    if (result.points.size() > 100'800) break;
    while (next != series.points.end() && next->first <= time) ++next;
    if (next == series.points.end() || result.points.contains(time)) continue;
    const auto& [after, value_after] = *next;
    const auto& [before, value_before] = *std::prev(next);
    if (!with.is_text) {
      Put(result, time, std::get<double>(with.value));
    } else if (with.text == "REPEAT") {
      Put(result, time, value_before);
    } else {
      const double part = static_cast<double>(time - before) / static_cast<double>(after - before);
      Put(result, time, value_before + (value_after - value_before) * part);
    }
  }
  return result;
}

aws::Reply<Value> Fill(const std::vector<Argument>& arguments) {
  const bool ok = arguments.size() == 2 && !std::holds_alternative<double>(arguments[0].value) &&
                  (arguments[1].is_text ? arguments[1].text == "REPEAT" || arguments[1].text == "LINEAR"
                                        : std::holds_alternative<double>(arguments[1].value));
  if (!ok) return Wrong("FILL", "a time series and a number, REPEAT or LINEAR");
  return Each(arguments[0].value, [&](const TimeSeries& series) { return Filled(series, arguments[1]); });
}

aws::Reply<Value> If(const std::vector<Argument>& arguments) {
  const bool ok = arguments.size() == 3 && std::none_of(arguments.begin(), arguments.end(), [](const Argument& one) {
                    return one.is_text || std::holds_alternative<SeriesList>(one.value);
                  });
  if (!ok) return Wrong("IF", "a condition and two values, each a number or a time series");
  if (const auto* condition = std::get_if<double>(&arguments[0].value)) return arguments[*condition != 0 ? 1 : 2].value;
  const auto& condition = std::get<TimeSeries>(arguments[0].value);
  TimeSeries result = Like(condition);
  for (const auto& [time, holds] : condition.points) {
    const Value& chosen = arguments[holds != 0 ? 1 : 2].value;
    if (const auto* number = std::get_if<double>(&chosen)) {
      Put(result, time, *number);
      continue;
    }
    const auto& points = std::get<TimeSeries>(chosen).points;
    if (const auto point = points.find(time); point != points.end()) Put(result, time, point->second);
  }
  return result;
}

// ---- lists

aws::Reply<Value> Sort(const std::vector<Argument>& arguments) {
  const bool ok =
      arguments.size() >= 3 && arguments.size() <= 4 && std::holds_alternative<SeriesList>(arguments[0].value) &&
      arguments[1].is_text && arguments[2].is_text && (arguments[2].text == "ASC" || arguments[2].text == "DESC") &&
      (arguments.size() == 3 || (!arguments[3].is_text && std::holds_alternative<double>(arguments[3].value)));
  if (!ok) return Wrong("SORT", "a list, one of SUM, AVG, MIN and MAX, ASC or DESC, and possibly how many");
  auto list = std::get<SeriesList>(arguments[0].value);
  const auto key = [&](const TimeSeries& series) { return std::get<double>(Reduced(arguments[1].text, series)); };
  const bool ascending = arguments[2].text == "ASC";
  std::stable_sort(list.begin(), list.end(), [&](const TimeSeries& a, const TimeSeries& b) {
    return ascending ? key(a) < key(b) : key(a) > key(b);
  });
  if (arguments.size() == 4) {
    const double wanted = std::clamp(std::get<double>(arguments[3].value), 0.0, static_cast<double>(list.size()));
    list.resize(static_cast<size_t>(wanted));
  }
  return Value(std::move(list));
}

aws::Reply<Value> PickOne(std::string_view name, const SeriesList& list) {
  if (list.empty()) return Value(TimeSeries{});
  return Value(name == "FIRST" ? list.front() : list.back());
}

aws::Reply<Value> Periods(const Value& value) {
  const auto* series = std::get_if<TimeSeries>(&value);
  if (!series) return Wrong("PERIOD", "a time series");
  return Value(static_cast<double>(series->period) / 1000);
}

aws::Reply<Value> CountMetrics(const Value& value) {
  const auto* list = std::get_if<SeriesList>(&value);
  if (!list) return Wrong("METRIC_COUNT", "a list of time series");
  return Value(static_cast<double>(list->size()));
}

Value RemoveEmpty(const Value& value) {
  SeriesList kept;
  for (const auto& series : std::get<SeriesList>(value)) {
    if (!series.points.empty()) kept.push_back(series);
  }
  return kept;
}

bool IsReduction(std::string_view name) {
  return name == "SUM" || name == "AVG" || name == "MIN" || name == "MAX" || name == "STDDEV" ||
         name == "DATAPOINT_COUNT";
}

// Functions of one operand.
aws::Reply<Value> CallOne(std::string_view name, const Value& value) {
  if (const auto map = Maps().find(name); map != Maps().end()) {
    if (const auto* number = std::get_if<double>(&value)) return Value(map->second(*number));
    return Each(value, [&](const TimeSeries& series) { return Mapped(series, map->second); });
  }
  if (name == "PERIOD") return Periods(value);
  if (name == "METRIC_COUNT") return CountMetrics(value);
  if (std::holds_alternative<double>(value)) return Wrong(name, "a time series, found a number");
  if (IsReduction(name)) return Reduced(name, value);
  if (name == "DIFF") return Each(value, [](const TimeSeries& series) { return Differences(series, false); });
  if (name == "RATE") return Each(value, [](const TimeSeries& series) { return Differences(series, true); });
  if (name == "RUNNING_SUM") return Each(value, RunningSum);
  if (const auto* list = std::get_if<SeriesList>(&value)) {
    if (name == "FIRST" || name == "LAST") return PickOne(name, *list);
    if (name == "REMOVE_EMPTY") return RemoveEmpty(value);
  } else if (name == "FIRST" || name == "LAST" || name == "REMOVE_EMPTY") {
    return Wrong(name, "a list of time series");
  }
  return InvalidValue(fmt::format("Error in expression: the function {} is not supported", name));
}

aws::Reply<Value> MakeList(const std::vector<Argument>& arguments) {
  SeriesList list;
  for (const auto& argument : arguments) {
    if (const auto* series = argument.is_text ? nullptr : std::get_if<TimeSeries>(&argument.value)) {
      list.push_back(*series);
    } else if (const auto* more = argument.is_text ? nullptr : std::get_if<SeriesList>(&argument.value)) {
      list.insert(list.end(), more->begin(), more->end());
    } else {
      return Wrong("a list in brackets", "time series");
    }
  }
  return Value(std::move(list));
}

}  // namespace

aws::Reply<Value> Combine(std::string_view op, const Value& left, const Value& right) {
  const auto *a = std::get_if<double>(&left), *b = std::get_if<double>(&right);
  if (a && b) return Value(Apply(op, *a, *b));
  if (a) return Each(right, [&](const TimeSeries& s) { return Mapped(s, [&](double x) { return Apply(op, *a, x); }); });
  if (b) return Each(left, [&](const TimeSeries& s) { return Mapped(s, [&](double x) { return Apply(op, x, *b); }); });
  if (const auto* one = std::get_if<TimeSeries>(&right)) {
    return Each(left, [&](const TimeSeries& series) { return Combined(op, series, *one); });
  }
  if (const auto* one = std::get_if<TimeSeries>(&left)) {
    return Each(right, [&](const TimeSeries& series) {
      TimeSeries result = Combined(op, *one, series);
      result.label = series.label;
      return result;
    });
  }
  return InvalidValue(fmt::format("Error in expression: {} cannot combine two lists of time series", op));
}

Value Negate(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return -*number;
  return Each(value, [](const TimeSeries& series) { return Mapped(series, [](double x) { return -x; }); });
}

aws::Reply<Value> CallFunction(std::string_view name, const std::vector<Argument>& arguments) {
  if (name == "FILL") return Fill(arguments);
  if (name == "IF") return If(arguments);
  if (name == "SORT") return Sort(arguments);
  if (name == "LIST") return MakeList(arguments);
  if (arguments.empty() || arguments[0].is_text) return Wrong(name, "a time series");
  if (arguments.size() == 1) return CallOne(name, arguments[0].value);
  if (!IsReduction(name)) return Wrong(name, "one operand");
  // SUM(a, b) and its like: as over the list of both.
  HEADRACE_REPLY_PASS(const Value list, MakeList(arguments));
  return CallOne(name, list);
}

}  // namespace headrace::api::cloudwatch
