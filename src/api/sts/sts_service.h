// STS: who the caller is, and temporary credentials.
#pragma once

#include "aws/service.h"
#include "store/meta/principals.h"
#include "store/meta/roles.h"

namespace headrace::api {

struct StsOptions {
  store::Database& database;  // all of it outlives the service
  store::Principals& principals;
};

// AssumeRole: for roles of the caller's own account only. Its credentials act for the same principal; only their ARN
// differs.
aws::Service StsService(StsOptions options);

}  // namespace headrace::api
