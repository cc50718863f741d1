#include "api/iam/iam_service.h"

#include <memory>

#include "api/iam/operations.h"

namespace headrace::api {

aws::Service IamService(store::Database& database) {
  aws::Service service;
  service.signing_name = "iam";
  service.query_version = "2010-05-08";
  service.xml_namespace = "https://iam.amazonaws.com/doc/2010-05-08/";
  service.timestamps = {"CreateDate"};
  const auto roles = std::make_shared<store::Roles>(database);
  using Run = aws::Reply<aws::Json> (*)(store::Roles&, const aws::Call&, const aws::Json&);
  const std::pair<const char*, Run> operations[] = {
      {"GetRole", iam::GetRole},
      {"CreateRole", iam::CreateRole},
      {"ListRoles", iam::ListRoles},
      {"DeleteRole", iam::DeleteRole},
      {"AttachRolePolicy", iam::AttachRolePolicy},
      {"DetachRolePolicy", iam::DetachRolePolicy},
      {"ListAttachedRolePolicies", iam::ListAttachedRolePolicies},
      {"SimulatePrincipalPolicy", iam::SimulatePrincipalPolicy},
  };
  for (const auto& [name, run] : operations)
    service.operations[name] = [roles, run = run](const aws::Call& call, const aws::Json& input) {
      return run(*roles, call, input);
    };
  return service;
}

}  // namespace headrace::api
