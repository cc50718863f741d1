#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "api/input.h"
#include "api/logs/operations.h"
#include "aws/page_token.h"

namespace headrace::api::logs {
namespace {

constexpr const char* kListing = "DescribeLogGroups";
constexpr int64_t kDefaultPage = 50;

auto NoSuchGroup() { return aws::Refuse("ResourceNotFoundException", "The specified log group does not exist."); }

Reply<Json> SetRetention(store::Logs& logs, const Call& call, const Json& input, int64_t days) {
  HEADRACE_REPLY(const bool changed, logs.SetRetention(call.caller.account_id, TextOr(input, "logGroupName"), days));
  if (!changed) return NoSuchGroup();
  return Json::object();
}

Json Described(const Call& call, const store::LogGroup& group) {
  const std::string arn = GroupArn(call, group.name);
  Json described{{"logGroupName", group.name}, {"creationTime", group.created},
                 {"metricFilterCount", 0},     {"arn", arn + ":*"},
                 {"logGroupArn", arn},         {"storedBytes", group.stored_bytes},
                 {"logGroupClass", "STANDARD"}};
  if (group.retention_days > 0) described["retentionInDays"] = group.retention_days;
  return described;
}

}  // namespace

Shape GroupNameShape() { return Shape::Text(1, 512, R"([\.\-_/#A-Za-z0-9]+)"); }

std::string GroupArn(const Call& call, const std::string& group) {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", call.region, call.caller.account_id, group);
}

Reply<store::LogGroup> GroupOf(store::Logs& logs, const Call& call, const Json& input) {
  std::string name = TextOr(input, "logGroupName");
  std::string identifier = TextOr(input, "logGroupIdentifier");
  if (name.empty() == identifier.empty()) {
    return aws::Refuse(kInvalid, "Exactly one of logGroupName and logGroupIdentifier must be given.");
  }
  if (name.empty()) {
    // An ARN of another account names a group that this caller cannot see.
    if (identifier.starts_with("arn:")) {
      constexpr std::string_view kKind = ":log-group:";
      const size_t at = identifier.find(kKind);
      name = at == std::string::npos ? "" : identifier.substr(at + kKind.size());
      if (name.ends_with(":*")) name.resize(name.size() - 2);
      if (!identifier.starts_with(GroupArn(call, name))) return NoSuchGroup();
    } else {
      name = identifier;
    }
  }
  HEADRACE_REPLY(auto group, logs.FindGroup(call.caller.account_id, name));
  if (!group) return NoSuchGroup();
  return std::move(*group);
}

Reply<Json> CreateLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"logGroupName", GroupNameShape(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  const std::string name = input["logGroupName"];
  HEADRACE_REPLY_PASS(const auto wanted, TagsIn(input));
  HEADRACE_REPLY(const bool created, logs.CreateGroup(call.caller.account_id, name, call.now));
  if (!created) return aws::Refuse("ResourceAlreadyExistsException", "The specified log group already exists");
  HEADRACE_REPLY_TRY(tags.Add(call.caller.account_id, TagKeyOf(call, name), wanted));
  if (const int64_t days = IntegerOr(input, "retentionInDays", 0); days > 0)
    return SetRetention(logs, call, input, days);
  return Json::object();
}

Reply<Json> DeleteLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"logGroupName", GroupNameShape(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY(const bool deleted, logs.DeleteGroup(call.caller.account_id, input["logGroupName"]));
  if (!deleted) return NoSuchGroup();
  HEADRACE_REPLY_TRY(tags.RemoveAll(call.caller.account_id, TagKeyOf(call, input["logGroupName"])));
  return Json::object();
}

Reply<Json> DescribeLogGroups(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"logGroupNamePrefix", GroupNameShape()},
                                                {"logGroupNamePattern", Shape::Text(0, 512, R"([\.\-_/#A-Za-z0-9]*)")},
                                                {"nextToken", Shape::Text(1, 8192)},
                                                {"limit", Shape::Integer(1, 50)}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  const std::string prefix = TextOr(input, "logGroupNamePrefix"), part = TextOr(input, "logGroupNamePattern");
  if (!prefix.empty() && !part.empty()) {
    return aws::Refuse(kInvalid, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  std::string after;
  if (const auto token = TextOr(input, "nextToken"); !token.empty()) {
    HEADRACE_REPLY_PASS(after, aws::ReadPageToken(kListing, token, kInvalid));
  }
  const auto page = static_cast<size_t>(IntegerOr(input, "limit", kDefaultPage));
  HEADRACE_REPLY(auto groups, logs.ListGroups(call.caller.account_id, prefix, part, after, page + 1));
  Json reply{{"logGroups", Json::array()}};
  if (groups.size() > page) {
    groups.pop_back();
    reply["nextToken"] = aws::MakePageToken(kListing, groups.back().name);
  }
  for (const auto& group : groups) reply["logGroups"].push_back(Described(call, group));
  return reply;
}

Reply<Json> PutRetentionPolicy(store::Logs& logs, const Call& call, const Json& input) {
  static const std::set<int64_t> kDays{1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                                       365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
  static const Shape kShape =
      Shape::Structure({{"logGroupName", GroupNameShape(), true}, {"retentionInDays", Shape::Integer(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  const int64_t days = IntegerOr(input, "retentionInDays", 0);
  if (!kDays.contains(days)) {
    Violations violations;
    violations.Add("retentionInDays", days,
                   fmt::format("Member must satisfy enum value set: [{}]", fmt::join(kDays, ", ")));
    return aws::Refuse(kInvalid, violations.Message());
  }
  return SetRetention(logs, call, input, days);
}

Reply<Json> DeleteRetentionPolicy(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"logGroupName", GroupNameShape(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  return SetRetention(logs, call, input, 0);
}

}  // namespace headrace::api::logs
