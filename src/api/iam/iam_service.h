// IAM as far as `get_execution_role` and its relatives go: roles and the policies attached to them. Policies are
// remembered and have no effect: what a caller may do depends on its account.
#pragma once

#include "aws/service.h"
#include "store/meta/database.h"

namespace headrace::api {

aws::Service IamService(store::Database& database);  // which outlives the service

}  // namespace headrace::api
