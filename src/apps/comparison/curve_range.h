// What the charts of one metric share: the ranges of both axes over all jobs, and round numbers to mark on them.
#pragma once

#include <string>
#include <vector>

#include "apps/comparison/compared_job.h"

namespace headrace::apps::comparison {

struct Range {
  double low = 0, high = 1;  // low < high

  double Share(double value) const { return (value - low) / (high - low); }
};

struct CurveRange {
  Range seconds, values;
};

// False for what is no number, and for numbers whose differences may be none.
bool CanBeDrawn(double value);

// Of all that can be drawn of the jobs' curves of `metric`; seconds begin at 0. The difference of a range's ends is
// never lost in rounding.
CurveRange RangeOf(const std::vector<ComparedJob>& jobs, const std::string& metric);

// Multiples of 1, 2 or 5 times a power of ten within the range, `most` at most and two at least.
std::vector<double> RoundMarks(const Range& range, int most);

}  // namespace headrace::apps::comparison
