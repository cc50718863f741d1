#include <algorithm>

#include <fmt/format.h>
#include <strings.h>

#include "api/input.h"
#include "api/logs/operations.h"

namespace headrace::api::logs {
namespace {

constexpr size_t kLongestKey = 128, kLongestValue = 256;

auto NoSuchTaggedGroup() { return aws::Refuse("ResourceNotFoundException", "The specified log group does not exist."); }

size_t CharactersIn(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Letters, digits, blanks and _.:/=+-@; every character beyond ASCII counts as a letter.
bool HasTagCharactersOnly(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) ||
           std::string_view(" _.:/=+-@").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

Reply<void> CheckTag(const std::string& key, const std::string& value) {
  if (key.empty() || CharactersIn(key) > kLongestKey || !HasTagCharactersOnly(key))
    return aws::Refuse(kInvalid,
                       fmt::format("tags: the key '{}' must have 1 to {} letters, digits, blanks and _.:/=+-@.",
                                   key.substr(0, 200), kLongestKey));
  if (CharactersIn(value) > kLongestValue || !HasTagCharactersOnly(value))
    return aws::Refuse(kInvalid, fmt::format("tags: the value of '{}' must have at most {} letters, digits, blanks and "
                                             "_.:/=+-@.",
                                             key, kLongestValue));
  if (::strncasecmp(key.c_str(), "aws:", 4) == 0)
    return aws::Refuse(kInvalid, fmt::format("tags: the key '{}' begins with aws:, which is reserved.", key));
  return {};
}

// The group that an ARN of the caller's names, in whatever region.
Reply<std::string> GroupOfArn(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"resourceArn", Shape::Text(1, 1011), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  const std::string arn = input["resourceArn"];
  const std::string kind = fmt::format(":{}:log-group:", call.caller.account_id);
  const size_t at = arn.find(kind);
  if (!arn.starts_with("arn:") || arn.find(":logs:") == std::string::npos ||
      arn.find(":log-group:") == std::string::npos)
    return aws::Refuse(kInvalid, fmt::format("resourceArn: found {}, wanted the ARN of a log group.", arn));
  if (at == std::string::npos) return NoSuchTaggedGroup();
  std::string name = arn.substr(at + kind.size());
  if (name.ends_with(":*")) name.resize(name.size() - 2);
  HEADRACE_REPLY(const auto group, logs.FindGroup(call.caller.account_id, name));
  if (!group) return NoSuchTaggedGroup();
  return name;
}

Reply<std::string> GroupOfName(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"logGroupName", GroupNameShape(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  const std::string name = input["logGroupName"];
  HEADRACE_REPLY(const auto group, logs.FindGroup(call.caller.account_id, name));
  if (!group) return NoSuchTaggedGroup();
  return name;
}

Reply<Json> Tag(store::Tags& tags, const Call& call, const Json& input, const std::string& group) {
  HEADRACE_REPLY_PASS(const auto wanted, TagsIn(input));
  if (wanted.empty()) return aws::Refuse(kInvalid, "tags: found none, wanted 1 to 50.");
  const auto added = tags.Add(call.caller.account_id, TagKeyOf(call, group), wanted);
  if (!added && added.error().code() == ErrorCode::kInvalidArgument)
    return aws::Refuse("TooManyTagsException", fmt::format("The log group {} would have more than {} tags.", group,
                                                           store::Tags::kMostPerResource));
  if (!added) return tl::unexpected<aws::ServiceError>(ServerFault(added.error()));
  return Json::object();
}

Reply<Json> Untag(store::Tags& tags, const Call& call, const Json& input, const char* member,
                  const std::string& group) {
  const auto found = input.find(member);
  if (found == input.end() || !found->is_array() || found->size() > store::Tags::kMostPerResource)
    return aws::Refuse(kInvalid,
                       fmt::format("{}: wanted a list of at most {} keys.", member, store::Tags::kMostPerResource));
  std::vector<std::string> keys;
  for (const Json& key : *found) keys.push_back(key.get<std::string>());
  HEADRACE_REPLY_TRY(tags.Remove(call.caller.account_id, TagKeyOf(call, group), keys));
  return Json::object();
}

Reply<Json> List(store::Tags& tags, const Call& call, const std::string& group) {
  HEADRACE_REPLY(const auto list, tags.List(call.caller.account_id, TagKeyOf(call, group)));
  Json reply{{"tags", Json::object()}};
  for (const auto& [key, value] : list) reply["tags"][key] = value;
  return reply;
}

}  // namespace

std::string TagKeyOf(const Call& call, const std::string& group) {
  return fmt::format("arn:aws:logs::{}:log-group:{}", call.caller.account_id, group);
}

Reply<store::TagList> TagsIn(const Json& input) {
  store::TagList tags;
  const auto found = input.find("tags");
  if (found == input.end() || found->is_null()) return tags;
  if (!found->is_object() || found->size() > store::Tags::kMostPerResource)
    return aws::Refuse(kInvalid, fmt::format("tags: wanted a map of at most {}.", store::Tags::kMostPerResource));
  for (const auto& [key, value] : found->items()) {
    tags.emplace_back(key, value.get<std::string>());
    if (auto good = CheckTag(key, tags.back().second); !good) return tl::unexpected(std::move(good.error()));
  }
  return tags;
}

Reply<Json> TagResource(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const std::string group, GroupOfArn(logs, call, input));
  return Tag(tags, call, input, group);
}

Reply<Json> UntagResource(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const std::string group, GroupOfArn(logs, call, input));
  return Untag(tags, call, input, "tagKeys", group);
}

Reply<Json> ListTagsForResource(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const std::string group, GroupOfArn(logs, call, input));
  return List(tags, call, group);
}

Reply<Json> TagLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const std::string group, GroupOfName(logs, call, input));
  return Tag(tags, call, input, group);
}

Reply<Json> UntagLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const std::string group, GroupOfName(logs, call, input));
  return Untag(tags, call, input, "tags", group);
}

Reply<Json> ListTagsLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input) {
  HEADRACE_REPLY_PASS(const std::string group, GroupOfName(logs, call, input));
  return List(tags, call, group);
}

}  // namespace headrace::api::logs
