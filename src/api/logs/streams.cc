#include <fmt/format.h>

#include "api/input.h"
#include "api/logs/operations.h"
#include "aws/page_token.h"

namespace headrace::api::logs {
namespace {

constexpr const char* kListing = "DescribeLogStreams";
constexpr int64_t kDefaultPage = 50;

auto NoSuchStream() { return aws::Refuse("ResourceNotFoundException", "The specified log stream does not exist."); }

Json Described(const Call& call, const store::LogGroup& group, const store::LogStream& stream) {
  Json described{{"logStreamName", stream.name},
                 {"creationTime", stream.created},
                 {"arn", fmt::format("{}:log-stream:{}", GroupArn(call, group.name), stream.name)},
                 {"storedBytes", stream.stored_bytes}};
  if (stream.last_ingestion != 0) {
    described["firstEventTimestamp"] = stream.first_event;
    described["lastEventTimestamp"] = stream.last_event;
    described["lastIngestionTime"] = stream.last_ingestion;
    described["uploadSequenceToken"] = fmt::format("{:056}", stream.last_ingestion);
  }
  return described;
}

}  // namespace

Shape StreamNameShape() { return Shape::Text(1, 512, "[^:*]*"); }

Reply<store::LogStream> StreamOf(store::Logs& logs, const store::LogGroup& group, const Json& input) {
  HEADRACE_REPLY(auto stream, logs.FindStream(group, TextOr(input, "logStreamName")));
  if (!stream) return NoSuchStream();
  return std::move(*stream);
}

Reply<Json> CreateLogStream(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape =
      Shape::Structure({{"logGroupName", GroupNameShape(), true}, {"logStreamName", StreamNameShape(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto group, GroupOf(logs, call, input));
  HEADRACE_REPLY(const bool created, logs.CreateStream(group, input["logStreamName"], call.now));
  if (!created) return aws::Refuse("ResourceAlreadyExistsException", "The specified log stream already exists");
  return Json::object();
}

Reply<Json> DeleteLogStream(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape =
      Shape::Structure({{"logGroupName", GroupNameShape(), true}, {"logStreamName", StreamNameShape(), true}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto group, GroupOf(logs, call, input));
  HEADRACE_REPLY(const bool deleted, logs.DeleteStream(group, input["logStreamName"]));
  if (!deleted) return NoSuchStream();
  return Json::object();
}

Reply<Json> DescribeLogStreams(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = Shape::Structure({{"logGroupName", GroupNameShape()},
                                                {"logGroupIdentifier", Shape::Text(1, 2048)},
                                                {"logStreamNamePrefix", StreamNameShape()},
                                                {"orderBy", Shape::Enum({"LogStreamName", "LastEventTime"})},
                                                {"descending", Shape::Boolean()},
                                                {"nextToken", Shape::Text(1, 8192)},
                                                {"limit", Shape::Integer(1, 50)}});
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  store::Logs::StreamFilter filter;
  filter.prefix = TextOr(input, "logStreamNamePrefix");
  filter.descending = BooleanOr(input, "descending", false);
  if (TextOr(input, "orderBy") == "LastEventTime") {
    if (!filter.prefix.empty()) {
      return aws::Refuse(kInvalid, "Cannot order by LastEventTime with a logStreamNamePrefix.");
    }
    filter.order = store::LogStreamOrder::kLastEventTime;
  }
  if (const auto token = TextOr(input, "nextToken"); !token.empty()) {
    HEADRACE_REPLY_PASS(const auto position, aws::ReadPageToken(kListing, token, kInvalid));
    const size_t blank = position.find(' ');  // "TIME NAME"
    if (blank == std::string::npos) return aws::Refuse(kInvalid, "The specified nextToken is invalid.");
    filter.after.emplace();
    filter.after->last_event = std::strtoll(position.substr(0, blank).c_str(), nullptr, 10);
    filter.after->name = position.substr(blank + 1);
  }
  HEADRACE_REPLY_PASS(const auto group, GroupOf(logs, call, input));
  const auto page = static_cast<size_t>(IntegerOr(input, "limit", kDefaultPage));
  filter.limit = page + 1;
  HEADRACE_REPLY(auto streams, logs.ListStreams(group, filter));
  Json reply{{"logStreams", Json::array()}};
  // Only when there is more: the SageMaker SDK asks again and again while it sees a token.
  if (streams.size() > page) {
    streams.pop_back();
    reply["nextToken"] =
        aws::MakePageToken(kListing, fmt::format("{} {}", streams.back().last_event, streams.back().name));
  }
  for (const auto& stream : streams) reply["logStreams"].push_back(Described(call, group, stream));
  return reply;
}

}  // namespace headrace::api::logs
