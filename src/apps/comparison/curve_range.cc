#include "apps/comparison/curve_range.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headrace::apps::comparison {
namespace {

Range Widened(double low, double high) {
  if (low > high) return {};  // nothing was seen
  const double largest = std::max({std::fabs(low), std::fabs(high), 1e-300});
  if (high - low > 1e-9 * largest) return {low, high};
  const double margin = largest == 1e-300 ? 1 : largest / 2;
  return {low - margin, high + margin};
}

}  // namespace

bool CanBeDrawn(double value) { return std::fabs(value) <= 1e300; }

CurveRange RangeOf(const std::vector<ComparedJob>& jobs, const std::string& metric) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double last = 0, low = kInfinity, high = -kInfinity;
  for (const ComparedJob& job : jobs) {
    const Curve* curve = FindCurve(job, metric);
    if (curve == nullptr) continue;
    for (const double at : curve->seconds) last = std::max(last, at);
    for (const double value : curve->values) {
      if (!CanBeDrawn(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  return {{0, last > 0 ? last : 1}, Widened(low, high)};
}

std::vector<double> RoundMarks(const Range& range, int most) {
  const double width = range.high - range.low;
  const auto marks = [&](double step) {
    std::vector<double> found;
    const double first = std::ceil(range.low / step - 1e-9);
    for (int i = 0; i < most && (first + i) * step <= range.high + 1e-9 * width; ++i)
      found.push_back((first + i) * step);
    return found;
  };
  double power = std::pow(10, std::floor(std::log10(width / most)));
  while (true) {
    for (const double factor : {1.0, 2.0, 5.0})
      if (std::floor(width / (factor * power)) + 1 <= most) return marks(factor * power);
    power *= 10;
  }
}

}  // namespace headrace::apps::comparison
