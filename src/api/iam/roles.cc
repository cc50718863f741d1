#include "api/iam/roles.h"

#include <fmt/format.h>

#include "api/iam/execution_role.h"

namespace headrace::api {
namespace {

constexpr const char* kTrustOfSageMaker =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},)"
    R"("Action":"sts:AssumeRole"}]})";

}  // namespace

std::string RoleArn(const store::Role& role) {
  return fmt::format("arn:aws:iam::{}:role{}{}", role.account_id, role.path, role.name);
}

store::Role BuiltInRole(const std::string& account_id) {
  store::Role role;
  role.account_id = account_id;
  role.name = kExecutionRole;
  role.role_id = "AROAHEADRACE" + account_id.substr(0, 9);
  role.path = kExecutionRolePath;
  role.trust_policy = kTrustOfSageMaker;
  role.description = "Headrace's built-in execution role";
  role.max_session_seconds = 43200;
  role.created = 1577836800000;  // 2020-01-01
  return role;
}

aws::Reply<store::Role> FindRole(store::Roles& roles, const std::string& account_id, const std::string& name) {
  if (name == kExecutionRole) return BuiltInRole(account_id);
  auto role = roles.Find(account_id, name);
  if (role) return std::move(*role);
  if (role.error().code() != ErrorCode::kNotFound) return tl::unexpected(IamFault(role.error()));
  return aws::Refuse("NoSuchEntity", fmt::format("The role with name {} cannot be found.", name), 404);
}

aws::ServiceError IamFault(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
      return {"NoSuchEntity", error.message(), 404, {}, {}};
    case ErrorCode::kAlreadyExists:
      return {"EntityAlreadyExists", error.message(), 409, {}, {}};
    case ErrorCode::kInvalidArgument:
      return {"LimitExceeded", error.message(), 409, {}, {}};
    case ErrorCode::kFailedPrecondition:
      return {"DeleteConflict", error.message(), 409, {}, {}};
    case ErrorCode::kResourceExhausted:
      return {"ServiceUnavailable", error.message(), 503, {}, {}};
    default:
      return {"ServiceFailure", "The request processing has failed because of an unknown error.", 500, {}, {}};
  }
}

}  // namespace headrace::api
