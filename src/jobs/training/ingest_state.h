// IngestState: what the platform remembers of a running job besides its row: how far the spool files have been read,
// and what reading them has added up to. It changes in the transaction that stores what was read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/limits/moment.h"
#include "jobs/request/training_status.h"

namespace headrace::jobs {

struct IngestState {
  bool admitted = false;  // cores are taken, a job directory is being made
  int attempt = 0;
  std::vector<int> cpus;
  std::string log_stream;
  Moment deadline;
  bool program_ended = false;  // its cores are given back; from then on it is packed and stored
  uint64_t events_offset = 0, log_offset = 0;
  std::vector<uint64_t> matches, not_numeric;  // a metric definition each
  std::optional<JobEnd> end;                   // what the supervisor said last
};

std::string ToJson(const IngestState& state);
// "{}" is a job that nobody has touched yet.
Result<IngestState> ParseIngestState(const std::string& text);

}  // namespace headrace::jobs
