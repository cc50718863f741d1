#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "api/input.h"
#include "api/logs/operations.h"

namespace headrace::api::logs {
namespace {

// "f/TIMESEQUENCE/s": where a forward read goes on, behind an event; "b/…": a backward read, in front of one. A token
// is a position, not a snapshot: asked again later, it shows what has come in since.
constexpr int kSequenceDigits = 19;

std::string Token(char direction, const store::LogPosition& position) {
  return fmt::format("{}/{}{:0{}}/s", direction, position.time, position.sequence, kSequenceDigits);
}

struct ReadFrom {
  bool forward = false;
  store::LogPosition position;
};

bool ParseNumber(std::string_view text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Reply<ReadFrom> ParseToken(std::string_view token) {
  ReadFrom from;
  const auto invalid = [] { return aws::Refuse(kInvalid, "The specified nextToken is invalid."); };
  if (token.size() < static_cast<size_t>(kSequenceDigits) + 5 || !token.ends_with("/s") || token[1] != '/') {
    return invalid();
  }
  if (token[0] != 'f' && token[0] != 'b') return invalid();
  from.forward = token[0] == 'f';
  const std::string_view number = token.substr(2, token.size() - 4);
  const size_t split = number.size() - kSequenceDigits;
  if (!ParseNumber(number.substr(0, split), from.position.time) ||
      !ParseNumber(number.substr(split), from.position.sequence)) {
    return invalid();
  }
  return from;
}

Shape GetShape() {
  return Shape::Structure({{"logGroupName", GroupNameShape()},
                           {"logGroupIdentifier", Shape::Text(1, 2048)},
                           {"logStreamName", StreamNameShape(), true},
                           {"startTime", Shape::Integer(0)},
                           {"endTime", Shape::Integer(0)},
                           {"nextToken", Shape::Text(1, 8192)},
                           {"limit", Shape::Integer(1, static_cast<int64_t>(kMostEvents))},
                           {"startFromHead", Shape::Boolean()}});
}

// Where a read without a token begins: at the head, or with the newest page.
ReadFrom Beginning(const store::LogInterval& interval, bool from_head) {
  if (!from_head) return {false, {interval.to, 0}};
  return {true, {std::max<UnixMillis>(interval.from, 0) - 1, store::kBehindLastEvent.sequence}};
}

}  // namespace

store::LogInterval IntervalOf(const store::LogGroup& group, const Call& call, const Json& input) {
  store::LogInterval interval;
  interval.from = std::max(IntegerOr(input, "startTime", 0), store::RetainedSince(group, call.now));
  interval.to = IntegerOr(input, "endTime", interval.to);
  return interval;
}

Reply<Json> GetLogEvents(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = GetShape();
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto group, GroupOf(logs, call, input));
  HEADRACE_REPLY_PASS(const auto stream, StreamOf(logs, group, input));
  const store::LogInterval interval = IntervalOf(group, call, input);
  const std::string token = TextOr(input, "nextToken");
  ReadFrom from = Beginning(interval, BooleanOr(input, "startFromHead", false));
  if (!token.empty()) {
    HEADRACE_REPLY_PASS(from, ParseToken(token));
  }

  const auto limit = static_cast<size_t>(IntegerOr(input, "limit", static_cast<int64_t>(kMostEvents)));
  std::vector<store::LogEvent> events;
  size_t bytes = 0;
  const auto visit = [&](store::LogEvent&& event) {
    bytes += event.message.size() + kEventOverhead;
    if (!events.empty() && bytes > kMostBytes) return false;
    events.push_back(std::move(event));
    return events.size() < limit;
  };
  if (from.forward) {
    HEADRACE_REPLY_TRY(logs.ReadForward(stream.id, interval, from.position, visit));
  } else {
    HEADRACE_REPLY_TRY(logs.ReadBackward(stream.id, interval, from.position, visit));
    std::reverse(events.begin(), events.end());
  }

  Json reply{{"events", Json::array()}};
  for (auto& event : events) {
    reply["events"].push_back({{"timestamp", event.position.time},
                               {"message", std::move(event.message)},
                               {"ingestionTime", event.ingestion}});
  }
  // Without events the position stays, and with it the token that was passed: that is how clients see the end.
  store::LogPosition first = from.position, last = from.position;
  if (!events.empty()) {
    first = events.front().position;
    last = events.back().position;
  } else if (!from.forward && token.empty()) {
    // An empty stream read from its newest end: forward reads go on with whatever comes.
    last = Beginning(interval, true).position;
  } else if (!from.forward) {
    last = {from.position.time, from.position.sequence - 1};  // "before" and "behind" leave no gap
  } else {
    first = {from.position.time, from.position.sequence == store::kBehindLastEvent.sequence
                                     ? from.position.sequence
                                     : from.position.sequence + 1};
  }
  reply["nextForwardToken"] = from.forward && events.empty() && !token.empty() ? token : Token('f', last);
  reply["nextBackwardToken"] = !from.forward && events.empty() && !token.empty() ? token : Token('b', first);
  return reply;
}

}  // namespace headrace::api::logs
