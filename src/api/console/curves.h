// GetMetricCurves: metrics as a chart draws them. Where a curve has more samples than the chart has columns, each
// column gets what lies in it: its least, greatest and last value, on one grid for all curves. Nothing is left out by
// chance, so that a spike of one sample is seen at every zoom.
#pragma once

#include "aws/service.h"
#include "store/meta/database.h"

namespace headrace::api::console {

// {"Curves": [{"Namespace", "MetricName", "Dimensions"}], "StartTime"?, "EndTime"?, "Columns"?: 1 to 4000,
// "Smoothing"?: 0 to below 1, the weight of what was before}. Reply:
// {"StartTime", "EndTime", "Curves": [{"Times", "Values"} of all samples, or
//  {"Times", "Values", "Minimums", "Maximums"} by column, and in both "SampleCount"]}; times in seconds, of a column
//  its last sample's.
aws::Reply<aws::Json> GetMetricCurves(store::Database& database, const aws::Call& call, const aws::Json& input);

}  // namespace headrace::api::console
