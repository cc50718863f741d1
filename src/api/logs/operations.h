// The operations, one file a group of them; LogsService puts them into its table.
#pragma once

#include <string>

#include "api/validation/shape.h"
#include "aws/service.h"
#include "store/meta/logs.h"
#include "store/meta/tags.h"

namespace headrace::api::logs {

using aws::Call;
using aws::Json;
using aws::Reply;

inline constexpr const char* kInvalid = "InvalidParameterException";

Reply<Json> CreateLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
Reply<Json> DeleteLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
Reply<Json> DescribeLogGroups(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> PutRetentionPolicy(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> DeleteRetentionPolicy(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> CreateLogStream(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> DeleteLogStream(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> DescribeLogStreams(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> PutLogEvents(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> GetLogEvents(store::Logs& logs, const Call& call, const Json& input);
Reply<Json> FilterLogEvents(store::Logs& logs, const Call& call, const Json& input);

Reply<Json> TagResource(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
Reply<Json> UntagResource(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
Reply<Json> ListTagsForResource(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
// The older three, which name a group instead of an ARN.
Reply<Json> TagLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
Reply<Json> UntagLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);
Reply<Json> ListTagsLogGroup(store::Logs& logs, store::Tags& tags, const Call& call, const Json& input);

// What a group's tags are kept under: its ARN without a region, which groups here do not have.
std::string TagKeyOf(const Call& call, const std::string& group);
// A request's map of tags: keys and values of the right sizes and characters, none of AWS's own.
Reply<store::TagList> TagsIn(const Json& input);

Shape GroupNameShape();
Shape StreamNameShape();
std::string GroupArn(const Call& call, const std::string& group);  // without the closing ":*"

// The group that logGroupName or logGroupIdentifier (a name or an ARN) says.
Reply<store::LogGroup> GroupOf(store::Logs& logs, const Call& call, const Json& input);
// That group's logStreamName.
Reply<store::LogStream> StreamOf(store::Logs& logs, const store::LogGroup& group, const Json& input);

// [startTime, endTime) and what the group's retention leaves of it.
store::LogInterval IntervalOf(const store::LogGroup& group, const Call& call, const Json& input);

// A page of events ends here.
inline constexpr size_t kMostEvents = 10'000;
inline constexpr size_t kMostBytes = size_t{1} << 20;
inline constexpr size_t kEventOverhead = 26;  // what AWS counts for an event besides its text

}  // namespace headrace::api::logs
