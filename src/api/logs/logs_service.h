// CloudWatch Logs: groups, streams, events, retention; what clients poll while a job runs.
#pragma once

#include "aws/service.h"
#include "store/meta/database.h"

namespace headrace::api {

// `database` outlives the service.
aws::Service LogsService(store::Database& database);

}  // namespace headrace::api
