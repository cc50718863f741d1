// GetMetricCurves: metrics as a chart draws them, by columns (columns.h) of one grid for all.
#pragma once

#include "aws/service.h"
#include "store/meta/database.h"

namespace headrace::api::console {

// {"Curves": [{"Namespace", "MetricName"?, "Dimensions", "Origin"?}], "Axis"?, "From"?, "To"?, "Columns"?: 1 to 4000,
//  "Smoothing"?: 0 to below 1, the weight of what was before}
// Without a MetricName: every metric of exactly these dimensions. Axis "Time": x is in seconds, since 1970 or since the
// curve's Origin; "Step": a metric's first sample is step 1, its second is step 2. From and To are on that axis;
// without them all is drawn.
//
// Reply: {"Start", "Width", "Curves": [{"Curve", "MetricName", "SampleCount", "Columns", "Times", "Values", "Minimums",
// "Maximums", "Smoothed"}]}. A column n is what lies in [Start + n Width, Start + (n + 1) Width); Curve says which of
// the request's entries it is. A column's time and value are its last sample's; least and greatest are left out where
// no column has more than one value. Smoothing sees every sample from the metric's first on, however few are drawn.
aws::Reply<aws::Json> GetMetricCurves(store::Database& database, const aws::Call& call, const aws::Json& input);

}  // namespace headrace::api::console
