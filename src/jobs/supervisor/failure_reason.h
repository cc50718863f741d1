// FailureReason: what a person can act on, in at most 1024 characters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jobs/launch/rank_records.h"
#include "jobs/supervisor/program_run.h"

namespace headrace::jobs {

constexpr size_t kLongestFailureReason = 1024;

struct FailureFacts {
  ProgramEnd end;
  std::string failure_file;             // /opt/ml/output/failure; "" without one
  std::vector<std::string> last_lines;  // of the program's output
  std::string image;                    // the job's, which asks for a framework
  uint64_t memory_limit = 0;
  std::string instance_type;
  std::string host;             // of a job that has several; "" of one that has one
  std::optional<RankEnd> rank;  // of an MPI job, the rank that failed first
};

std::string FailureReason(const FailureFacts& facts);

// Cut to `size` bytes at most, never inside a UTF-8 character.
std::string Truncate(std::string text, size_t size);
std::string FormatBytes(uint64_t bytes);  // "1.5 GiB"

}  // namespace headrace::jobs
