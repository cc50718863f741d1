#include "jobs/training/ingest_state.h"

#include <nlohmann/json.hpp>

namespace headrace::jobs {

using nlohmann::json;

std::string ToJson(const IngestState& state) {
  json into = {
      {"admitted", state.admitted},     {"attempt", state.attempt},        {"cpus", state.cpus},
      {"log_stream", state.log_stream}, {"deadline", state.deadline.wall}, {"events_offset", state.events_offset},
      {"log_offset", state.log_offset}, {"matches", state.matches},        {"not_numeric", state.not_numeric}};
  into["deadline_boot"] = state.deadline.boot;
  into["deadline_boot_ms"] = state.deadline.since_boot;
  into["program_ended"] = state.program_ended;
  if (state.end)
    into["end"] = {
        {"outcome", Text(state.end->status)}, {"secondary", Text(state.end->secondary)}, {"reason", state.end->reason}};
  return into.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<IngestState> ParseIngestState(const std::string& text) {
  try {
    const auto from = json::parse(text);
    IngestState state;
    if (!from.value("admitted", false)) return state;
    state.admitted = true;
    state.attempt = from.at("attempt");
    state.cpus = from.at("cpus").get<std::vector<int>>();
    state.log_stream = from.at("log_stream");
    state.deadline = {from.at("deadline"), from.value("deadline_boot", ""), from.value("deadline_boot_ms", int64_t{0})};
    state.program_ended = from.value("program_ended", false);
    state.events_offset = from.at("events_offset");
    state.log_offset = from.at("log_offset");
    state.matches = from.at("matches").get<std::vector<uint64_t>>();
    state.not_numeric = from.at("not_numeric").get<std::vector<uint64_t>>();
    if (from.contains("end"))
      state.end = JobEndOf(from["end"].at("outcome").get<std::string>(), from["end"].at("secondary").get<std::string>(),
                           from["end"].at("reason"));
    return state;
  } catch (const json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "the job's state is not readable: {}", error.what());
  }
}

}  // namespace headrace::jobs
