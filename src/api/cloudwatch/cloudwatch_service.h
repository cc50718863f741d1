// CloudWatch metrics: samples in, statistics and expressions out. Inputs come from AWS JSON 1.0, Query and CBOR alike,
// so numbers and booleans may be text.
#pragma once

#include "aws/service.h"
#include "store/meta/database.h"

namespace headrace::api {

// `database` outlives the service.
aws::Service CloudWatchService(store::Database& database);

}  // namespace headrace::api
