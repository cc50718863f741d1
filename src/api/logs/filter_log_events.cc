#include <charconv>
#include <map>

#include <fmt/format.h>

#include "api/input.h"
#include "api/logs/filter_pattern.h"
#include "api/logs/operations.h"
#include "aws/page_token.h"

namespace headrace::api::logs {
namespace {

constexpr const char* kListing = "FilterLogEvents";

Shape FilterShape() {
  return Shape::Structure({{"logGroupName", GroupNameShape()},
                           {"logGroupIdentifier", Shape::Text(1, 2048)},
                           {"logStreamNames", Shape::List(StreamNameShape(), 1, 100)},
                           {"logStreamNamePrefix", StreamNameShape()},
                           {"startTime", Shape::Integer(0)},
                           {"endTime", Shape::Integer(0)},
                           {"filterPattern", Shape::Text(0, 1024)},
                           {"nextToken", Shape::Text(1, 8192)},
                           {"limit", Shape::Integer(1, static_cast<int64_t>(kMostEvents))}});
}

using Position = store::Logs::MergedPosition;

std::string Text(const Position& position) {
  return fmt::format("{} {} {}", position.position.time, position.stream_id, position.position.sequence);
}

bool TakeNumber(std::string_view& rest, int64_t& number) {
  while (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  return error == std::errc();
}

Reply<std::optional<Position>> PositionOf(const Json& input) {
  const std::string token = TextOr(input, "nextToken");
  if (token.empty()) return std::optional<Position>();
  HEADRACE_REPLY_PASS(const auto text, aws::ReadPageToken(kListing, token, kInvalid));
  Position position;
  std::string_view rest = text;
  if (TakeNumber(rest, position.position.time) && TakeNumber(rest, position.stream_id) &&
      TakeNumber(rest, position.position.sequence)) {
    return std::optional<Position>(position);
  }
  return aws::Refuse(kInvalid, "The specified nextToken is invalid.");
}

Reply<std::vector<store::LogStream>> StreamsOf(store::Logs& logs, const store::LogGroup& group, const Json& input) {
  const bool named = input.contains("logStreamNames") && !input["logStreamNames"].is_null();
  const std::string prefix = TextOr(input, "logStreamNamePrefix");
  if (named && !prefix.empty()) {
    return aws::Refuse(kInvalid, "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
  }
  if (!named) {
    HEADRACE_REPLY(auto streams, logs.ListStreams(group, {.prefix = prefix}));
    return streams;
  }
  std::vector<store::LogStream> streams;
  for (const auto& name : input["logStreamNames"]) {
    HEADRACE_REPLY(auto stream, logs.FindStream(group, name));
    if (!stream) return aws::Refuse("ResourceNotFoundException", "The specified log stream does not exist.");
    streams.push_back(std::move(*stream));
  }
  return streams;
}

}  // namespace

Reply<Json> FilterLogEvents(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = FilterShape();
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto pattern, FilterPattern::Parse(TextOr(input, "filterPattern")));
  HEADRACE_REPLY_PASS(const auto after, PositionOf(input));
  HEADRACE_REPLY_PASS(const auto group, GroupOf(logs, call, input));
  HEADRACE_REPLY_PASS(const auto streams, StreamsOf(logs, group, input));
  std::map<int64_t, std::string> names;
  for (const auto& stream : streams) names[stream.id] = stream.name;

  const auto limit = static_cast<size_t>(IntegerOr(input, "limit", static_cast<int64_t>(kMostEvents)));
  Json events = Json::array();
  std::optional<Position> last;
  bool more = false;
  size_t bytes = 0;
  HEADRACE_REPLY_TRY(logs.ReadMerged(streams, IntervalOf(group, call, input), after, [&](store::LogEvent&& event) {
    if (!pattern.Matches(event.message)) return true;
    bytes += event.message.size() + kEventOverhead;
    more = events.size() == limit || (!events.empty() && bytes > kMostBytes);
    if (more) return false;
    last = Position{event.position, event.stream_id};
    events.push_back({{"logStreamName", names[event.stream_id]},
                      {"timestamp", event.position.time},
                      {"message", std::move(event.message)},
                      {"ingestionTime", event.ingestion},
                      {"eventId", fmt::format("{:020}{:010}{:026}", event.position.time, event.stream_id,
                                              event.position.sequence)}});
    return true;
  }));
  Json reply{{"events", std::move(events)}, {"searchedLogStreams", Json::array()}};
  if (more && last) reply["nextToken"] = aws::MakePageToken(kListing, Text(*last));
  return reply;
}

}  // namespace headrace::api::logs
