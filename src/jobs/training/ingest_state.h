// IngestState: what the platform remembers of a running job besides its row: how far the spool files of its hosts have
// been read, and what reading them has added up to. It changes in the transaction that stores what was read.
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

struct HostEnd {
  JobEnd how;  // as its supervisor said, or as is said for one that is gone
  UnixMillis time = 0;
  bool again = false;  // none of the program's doing: the host is lost, or its ranks were killed from outside
};

struct HostIngest {
  std::string name;        // "algo-1"
  std::vector<int> place;  // the executor's numbers for its room
  std::string log_stream;
  uint64_t events_offset = 0, log_offset = 0;
  std::optional<SecondaryStatus> phase;  // Downloading, Training, Uploading: what it said last
  std::string message;
  bool program_ended = false;
  std::optional<HostEnd> end;
};

struct IngestState {
  bool admitted = false;  // cores are taken, a job directory is being made
  int attempt = 0;
  Moment deadline;
  std::vector<HostIngest> hosts;               // algo-1 first
  std::vector<uint64_t> matches, not_numeric;  // a metric definition each, over all hosts

  // The programs of all hosts have ended: their cores are given back; from then on the job is packed and stored.
  bool program_ended() const;
  // The same job, nothing of whose next attempt has been read.
  IngestState NextAttempt() const;
};

// A job that begins, with a host in each of `places`.
IngestState Begun(const std::string& job_name, const std::vector<std::vector<int>>& places, UnixMillis now,
                  const Moment& deadline);

std::string ToJson(const IngestState& state);
// "{}" is a job that nobody has touched yet. States that builds before jobs of several hosts have written are read,
// too.
Result<IngestState> ParseIngestState(const std::string& text);

}  // namespace headrace::jobs
