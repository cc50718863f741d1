// The operations, one file each; CloudWatchService puts them into its table.
#pragma once

#include "aws/service.h"
#include "store/meta/metrics.h"

namespace headrace::api::cloudwatch {

using aws::Call;
using aws::Json;
using aws::Reply;

Reply<Json> PutMetricData(store::Metrics& metrics, const Call& call, const Json& input);
Reply<Json> GetMetricStatistics(store::Metrics& metrics, const Call& call, const Json& input);
Reply<Json> GetMetricData(store::Metrics& metrics, const Call& call, const Json& input);
Reply<Json> ListMetrics(store::Metrics& metrics, const Call& call, const Json& input);

}  // namespace headrace::api::cloudwatch
