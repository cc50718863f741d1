// Ingestion: takes what the supervisors of a job's hosts have spooled into the database: log events, metric samples,
// statuses, and the offset they were read up to, each piece of a host in one transaction.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/directory/host_directory.h"
#include "jobs/metrics/metric_definitions.h"
#include "jobs/training/ingest_state.h"
#include "store/meta/database.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

class SpoolReader {
 public:
  // A directory for each host of the states that are read into.
  SpoolReader(store::Database& database, const Clock& clock, std::string account, std::string name,
              std::vector<HostDirectory> directories, MetricMatcher metrics)
      : database_(database),
        clock_(clock),
        account_(std::move(account)),
        name_(std::move(name)),
        directories_(std::move(directories)),
        metrics_(std::move(metrics)) {}

  // Reads a piece of both files of one host. True when there was anything; `state` is then as the database has it now.
  Result<bool> Ingest(size_t host, IngestState& state);

  // Log events of the platform's own in the log of algo-1, in the caller's transaction.
  Status SayIn(store::Connection& db, const IngestState& state, const std::vector<std::string>& lines) const;
  // What the metric definitions have matched, as lines for the log.
  std::vector<std::string> MetricReport(const IngestState& state) const;

 private:
  struct Batch;  // what one piece of the files tells
  Result<Batch> Collect(size_t host, IngestState& next) const;
  void TakeLine(const std::string& text, IngestState& next, Batch& batch) const;
  void TakeEvent(const std::string& text, const std::string& host, Batch& batch) const;
  Status Write(store::WriteKind kind, size_t host, const Batch& batch, IngestState& next) const;

  store::Database& database_;
  const Clock& clock_;
  const std::string account_, name_;
  const std::vector<HostDirectory> directories_;
  const MetricMatcher metrics_;
};

}  // namespace headrace::jobs
