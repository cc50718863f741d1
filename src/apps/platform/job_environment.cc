#include "apps/platform/job_environment.h"

#include <algorithm>

#include "api/iam/execution_role.h"
#include "apps/platform/client_environment.h"

namespace headrace::apps {
namespace {

Result<std::string> PrincipalOf(const store::Principals& principals, const std::string& account) {
  HEADRACE_ASSIGN(const auto all, principals.List());
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const store::Principal& principal) { return principal.account_id == account; });
  if (found == all.end()) return Fail(ErrorCode::kNotFound, "account {}: nobody has it", account);
  return found->name;
}

}  // namespace

Result<std::map<std::string, std::string>> JobEnvironment(store::Principals& principals, const DataDirectory& directory,
                                                          const ServerAddress& address, const store::TrainingJob& job) {
  HEADRACE_ASSIGN(const std::string principal, PrincipalOf(principals, job.account_id));
  HEADRACE_ASSIGN(const auto key, principals.AddJobKey(principal, api::CallerArn(job.account_id, job.name), job.arn));
  std::map<std::string, std::string> environment;
  for (auto& [name, value] : ClientVariables(address, {key.access_key_id, key.secret_access_key},
                                             {directory / "aws", "", directory / kSageMakerConfigName}))
    environment[name] = value;
  environment["AWS_SESSION_TOKEN"] = key.session_token;
  environment["S3_ENDPOINT_URL"] = address.endpoint;
  // TensorFlow's own S3 client.
  environment["S3_ENDPOINT"] = address.endpoint.substr(address.endpoint.find("://") + 3);
  environment["S3_USE_HTTPS"] = address.endpoint.starts_with("https") ? "1" : "0";
  environment["S3_VERIFY_SSL"] = "0";
  return environment;
}

}  // namespace headrace::apps
