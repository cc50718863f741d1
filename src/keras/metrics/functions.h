// Metrics that are the mean of a function of targets and predictions.
#pragma once

#include "keras/metrics/metric_state.h"

namespace headrace::keras::internal {

std::shared_ptr<const MetricState> FunctionMetric(const std::string& name, MetricFunction values);
int BinaryAccuracyOf(GraphBuilder& build, int y_true, int y_pred, float threshold);
// Whether fewer than k scores are above the target's; sparse: targets are numbers of classes.
int TopKAccuracyOf(GraphBuilder& build, int y_true, int y_pred, int64_t k, bool sparse);

}  // namespace headrace::keras::internal
