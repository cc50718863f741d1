// Ingestion: takes what a supervisor has spooled into the database: log events, metric samples, statuses, and the
// offset they were read up to, in one transaction.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/capture/metric_definitions.h"
#include "jobs/directory/job_directory.h"
#include "jobs/training/ingest_state.h"
#include "store/meta/database.h"
#include "store/meta/training_job.h"

namespace headrace::jobs {

class SpoolReader {
 public:
  SpoolReader(store::Database& database, const Clock& clock, std::string account, std::string name,
              JobDirectory directory, MetricMatcher metrics)
      : database_(database),
        clock_(clock),
        account_(std::move(account)),
        name_(std::move(name)),
        directory_(std::move(directory)),
        metrics_(std::move(metrics)) {}

  // Reads a piece of both files. True when there was anything; `state` is then as the database has it now.
  Result<bool> Ingest(IngestState& state);

  // Log events of the platform's own, in the caller's transaction.
  Status SayIn(store::Connection& db, const IngestState& state, const std::vector<std::string>& lines) const;
  // What the metric definitions have matched, as lines for the log.
  std::vector<std::string> MetricReport(const IngestState& state) const;

 private:
  struct Batch;  // what one piece of the files tells
  Status Write(store::WriteKind kind, const Batch& batch, IngestState& next) const;

  store::Database& database_;
  const Clock& clock_;
  const std::string account_, name_;
  const JobDirectory directory_;
  const MetricMatcher metrics_;
};

}  // namespace headrace::jobs
