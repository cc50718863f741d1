#include "sagemaker/estimator/log_follower.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace headrace::sagemaker {
namespace {

constexpr std::array<int, 5> kColours = {34, 35, 32, 36, 33};  // the SDK's: blue, magenta, green, cyan, yellow
constexpr int kMostStreams = 50;

// A program may say what it likes on a terminal, but not what the terminal does.
std::string WithoutControls(std::string text) {
  std::erase_if(text, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
  return text;
}

}  // namespace

LogFollower::LogFollower(std::string group, std::string prefix, bool colour, Ask ask, Print print)
    : group_(std::move(group)),
      prefix_(std::move(prefix)),
      colour_(colour),
      ask_(std::move(ask)),
      print_(std::move(print)) {}

void LogFollower::Step() {
  Json listed;
  try {
    listed = ask_("logs", "DescribeLogStreams",
                  {{"logGroupName", group_},
                   {"logStreamNamePrefix", prefix_},
                   {"orderBy", "LogStreamName"},
                   {"limit", kMostStreams}});
  } catch (const ServiceError& error) {
    if (error.service_code == "ResourceNotFoundException") return;  // nobody has written yet
    throw;
  }
  std::vector<Event> events;
  for (const Json& entry : ListMember(listed, "logStreams")) {
    const std::string name = TextMember(entry, "logStreamName");
    const auto [stream, fresh] = streams_.try_emplace(name);
    if (fresh) stream->second.number = streams_.size() - 1;
    Read(name, stream->second, events);
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.timestamp < b.timestamp; });
  for (const Event& event : events) {
    const int colour = kColours[event.stream % kColours.size()];
    print_(colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", colour, WithoutControls(event.message)) : event.message);
  }
}

void LogFollower::Read(const std::string& name, Stream& stream, std::vector<Event>& events) const {
  while (true) {
    Json input{{"logGroupName", group_}, {"logStreamName", name}, {"startFromHead", true}};
    if (!stream.token.empty()) input["nextToken"] = stream.token;
    const Json page = ask_("logs", "GetLogEvents", input);
    const Json& lines = ListMember(page, "events");
    for (const Json& line : lines)
      events.push_back({NumberMember(line, "timestamp"), stream.number, TextMember(line, "message")});
    const std::string next = TextMember(page, "nextForwardToken");
    const bool more = !lines.empty() && !next.empty() && next != stream.token;
    if (!next.empty()) stream.token = next;
    if (!more) return;
  }
}

}  // namespace headrace::sagemaker
