#include <fmt/format.h>

#include "api/input.h"
#include "api/logs/operations.h"

namespace headrace::api::logs {
namespace {

constexpr UnixMillis kHourMs = 3600 * 1000LL, kDayMs = 24 * kHourMs;
constexpr size_t kLongestEvent = size_t{1} << 20;

Shape PutShape() {
  return Shape::Structure({{"logGroupName", GroupNameShape(), true},
                           {"logStreamName", StreamNameShape(), true},
                           {"logEvents",
                            Shape::List(Shape::Structure({{"timestamp", Shape::Integer(0), true},
                                                          {"message", Shape::Text(1, INT64_MAX), true}}),
                                        1, static_cast<int64_t>(kMostEvents)),
                            true},
                           {"sequenceToken", Shape::Text(1, 4096)}});
}

// The limits of a batch as a whole, in the service's words.
std::optional<aws::ServiceError> CheckBatch(const Json& events) {
  size_t bytes = 0;
  UnixMillis previous = 0;
  const auto refusal = [](std::string message) { return aws::ServiceError{kInvalid, std::move(message), 400, {}, {}}; };
  for (const auto& event : events) {
    const size_t size = event["message"].get_ref<const std::string&>().size() + kEventOverhead;
    if (size > kLongestEvent) {
      return refusal(fmt::format("Log event too large: {} bytes exceeds limit of {}", size, kLongestEvent));
    }
    bytes += size;
    const UnixMillis time = IntegerOr(event, "timestamp", 0);
    if (time < previous) return refusal("Log events in a single PutLogEvents request must be in chronological order.");
    previous = time;
  }
  if (bytes > kMostBytes) {
    return refusal(fmt::format("Upload too large: {} bytes exceeds limit of {}", bytes, kMostBytes));
  }
  if (previous - IntegerOr(events.front(), "timestamp", 0) > kDayMs) {
    return refusal("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
  return std::nullopt;
}

// Events outside the window are left out and reported by index; the batch is in order, so each kind is one run.
Json Rejected(const Json& events, const store::LogGroup& group, UnixMillis now, std::vector<store::LogLineIn>& kept) {
  Json rejected = Json::object();
  const UnixMillis retained = store::RetainedSince(group, now);
  for (size_t i = 0; i < events.size(); ++i) {
    const UnixMillis time = IntegerOr(events[i], "timestamp", 0);
    if (time > now + 2 * kHourMs) {
      if (!rejected.contains("tooNewLogEventStartIndex")) rejected["tooNewLogEventStartIndex"] = i;
    } else if (time < now - 14 * kDayMs) {
      rejected["tooOldLogEventEndIndex"] = i + 1;
    } else if (time < retained) {
      rejected["expiredLogEventEndIndex"] = i + 1;
    } else {
      kept.push_back({time, events[i]["message"].get_ref<const std::string&>()});
    }
  }
  return rejected;
}

}  // namespace

Reply<Json> PutLogEvents(store::Logs& logs, const Call& call, const Json& input) {
  static const Shape kShape = PutShape();
  if (auto error = Validate(kShape, input, kInvalid)) return tl::unexpected(std::move(*error));
  const Json& events = input["logEvents"];
  if (auto error = CheckBatch(events)) return tl::unexpected(std::move(*error));
  HEADRACE_REPLY_PASS(const auto group, GroupOf(logs, call, input));
  HEADRACE_REPLY_PASS(const auto stream, StreamOf(logs, group, input));
  std::vector<store::LogLineIn> kept;
  kept.reserve(events.size());
  const Json rejected = Rejected(events, group, call.now, kept);
  HEADRACE_REPLY_TRY(logs.Append({call.caller.account_id, group.name, stream.name}, kept, call.now));
  Json reply{{"nextSequenceToken", fmt::format("{:056}", call.now)}};
  if (!rejected.empty()) reply["rejectedLogEventsInfo"] = rejected;
  return reply;
}

}  // namespace headrace::api::logs
