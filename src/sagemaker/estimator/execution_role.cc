#include <fstream>
#include <sstream>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {
namespace {

constexpr const char* kMetadata = "/opt/ml/metadata/resource-metadata.json";  // of notebook instances and Studio

std::string LastPart(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// What the machine says of itself; "" on other machines.
std::string RoleOfNotebook(const Session& session) {
  std::ifstream file(kMetadata);
  if (!file) return {};
  std::stringstream text;
  text << file.rdbuf();
  const Json metadata = Json::parse(text.str(), nullptr, false);
  if (!metadata.is_object()) return {};
  if (const std::string role = TextMember(metadata, "ExecutionRoleArn"); !role.empty()) return role;
  const std::string notebook = TextMember(metadata, "ResourceName");
  if (notebook.empty()) return {};
  return TextMember(CallWith(session.sagemaker(), "DescribeNotebookInstance", {{"NotebookInstanceName", notebook}}),
                    "RoleArn");
}

// arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION stands for arn:aws:iam::ACCOUNT:role/NAME.
std::string RoleOfSession(std::string arn) {
  constexpr std::string_view kSts = ":sts::", kAssumed = ":assumed-role/";
  const size_t sts = arn.find(kSts), assumed = arn.find(kAssumed);
  if (sts == std::string::npos || assumed == std::string::npos) return arn;
  arn.replace(assumed, kAssumed.size(), ":role/");
  arn.replace(sts, kSts.size(), ":iam::");
  return arn.substr(0, arn.rfind('/'));
}

}  // namespace

std::string get_execution_role(const Session& session) {
  std::string role = RoleOfNotebook(session);
  if (!role.empty()) return role;
  const std::string caller = TextMember(CallWith(session.sts(), "GetCallerIdentity", Json::object()), "Arn");
  role = RoleOfSession(caller);
  // The role may have a path that the session's ARN leaves out; who may not ask does without.
  const auto described = session.iam().Call("GetRole", Json{{"RoleName", LastPart(role)}}.dump());
  if (described.ok()) {
    const Json document = Json::parse(*described, nullptr, false);
    if (document.is_object()) role = TextMember(ObjectMember(document, "Role"), "Arn");
  }
  if (role.find(":role/") == std::string::npos)
    throw Error(ErrorCode::kFailedPrecondition,
                "the caller '" + caller + "' is no role: pass a role's ARN instead of get_execution_role()");
  return role;
}

}  // namespace headrace::sagemaker
