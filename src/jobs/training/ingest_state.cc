#include "jobs/training/ingest_state.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "jobs/request/training_request.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

json Encode(const HostEnd& end) {
  return {{"outcome", Text(end.how.status)},
          {"secondary", Text(end.how.secondary)},
          {"reason", end.how.reason},
          {"time", end.time},
          {"again", end.again}};
}

std::optional<HostEnd> DecodeEnd(const json& from) {
  if (!from.contains("end")) return std::nullopt;
  const auto& end = from.at("end");
  return HostEnd{
      JobEndOf(end.at("outcome").get<std::string>(), end.at("secondary").get<std::string>(), end.at("reason")),
      end.value("time", UnixMillis{0}), end.value("again", false)};
}

json Encode(const HostIngest& host) {
  json into = {{"name", host.name},
               {"cpus", host.place},
               {"log_stream", host.log_stream},
               {"events_offset", host.events_offset},
               {"log_offset", host.log_offset},
               {"phase", host.phase ? Text(*host.phase) : ""},
               {"message", host.message},
               {"program_ended", host.program_ended}};
  if (host.end) into["end"] = Encode(*host.end);
  return into;
}

HostIngest DecodeHost(const json& from) {
  HostIngest host;
  host.name = from.value("name", "algo-1");
  host.place = from.at("cpus").get<std::vector<int>>();
  host.log_stream = from.at("log_stream");
  host.events_offset = from.at("events_offset");
  host.log_offset = from.at("log_offset");
  host.phase = SecondaryStatusOf(from.value("phase", ""));
  host.message = from.value("message", "");
  host.program_ended = from.value("program_ended", false);
  host.end = DecodeEnd(from);
  return host;
}

}  // namespace

bool IngestState::program_ended() const {
  return !hosts.empty() &&
         std::all_of(hosts.begin(), hosts.end(), [](const HostIngest& host) { return host.program_ended || host.end; });
}

IngestState IngestState::NextAttempt() const {
  IngestState next = *this;
  ++next.attempt;
  for (auto& host : next.hosts) {
    host.events_offset = host.log_offset = 0;
    host.phase.reset();
    host.message.clear();
    host.program_ended = false;
    host.end.reset();
  }
  return next;
}

IngestState Begun(const std::string& job_name, const std::vector<std::vector<int>>& places, UnixMillis now,
                  const Moment& deadline) {
  IngestState state;
  state.admitted = true;
  state.deadline = deadline;
  for (size_t i = 0; i < places.size(); ++i) {
    HostIngest host;
    host.name = HostName(i);
    host.place = places[i];
    host.log_stream = fmt::format("{}/{}-{}", job_name, host.name, now / 1000);
    state.hosts.push_back(std::move(host));
  }
  return state;
}

std::string ToJson(const IngestState& state) {
  json into = {{"admitted", state.admitted},
               {"attempt", state.attempt},
               {"deadline", state.deadline.wall},
               {"deadline_boot", state.deadline.boot},
               {"deadline_boot_ms", state.deadline.since_boot},
               {"hosts", json::array()},
               {"matches", state.matches},
               {"not_numeric", state.not_numeric}};
  for (const auto& host : state.hosts) into["hosts"].push_back(Encode(host));
  return into.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<IngestState> ParseIngestState(const std::string& text) {
  try {
    const auto from = json::parse(text);
    IngestState state;
    if (!from.value("admitted", false)) return state;
    state.admitted = true;
    state.attempt = from.at("attempt");
    state.deadline = {from.at("deadline"), from.value("deadline_boot", ""), from.value("deadline_boot_ms", int64_t{0})};
    state.matches = from.at("matches").get<std::vector<uint64_t>>();
    state.not_numeric = from.at("not_numeric").get<std::vector<uint64_t>>();
    if (from.contains("hosts"))
      for (const auto& host : from.at("hosts")) state.hosts.push_back(DecodeHost(host));
    else  // the only host's members stood among the job's
      state.hosts.push_back(DecodeHost(from));
    if (state.hosts.empty()) return Fail(ErrorCode::kDataLoss, "the job's state is not readable: it has no hosts");
    return state;
  } catch (const json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "the job's state is not readable: {}", error.what());
  }
}

}  // namespace headrace::jobs
