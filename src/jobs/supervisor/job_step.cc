#include "jobs/supervisor/job_step.h"

#include <algorithm>

namespace headrace::jobs {

Status MarkTenantsProcess(const JobContext& context) { return WriteBriefly(context.directory.program_started(), ""); }

RunOptions LimitsOf(const JobContext& context) {
  RunOptions options;
  options.sandboxed = context.view.sandboxed();
  context.limits.Bound(options);
  // What all hosts share is counted once.
  if (context.job.current_host == context.job.hosts.front()) options.shared_memory = context.job.shared_memory;
  options.deadline = 0;  // the stop request knows it
  options.grace_seconds = context.job.stop_grace_seconds;
  options.sample_millis = context.job.resource_sample_millis;
  options.disk_path = context.directory.path();
  options.hurried = [&context] { return context.stop.alone(); };
  options.stop_requested = [&context] { return context.stop.Requested(); };
  return options;
}

Result<ProgramEnd> RunStep(const JobContext& context, const Command& command) {
  HEADRACE_TRY(MarkTenantsProcess(context));
  RunOptions options = LimitsOf(context);
  options.grace_seconds = std::min(options.grace_seconds, 5);
  options.sample_millis = 0;
  HEADRACE_ASSIGN(const auto end, RunProgram(command, true, options, context.reporter, context.steady));
  context.limits.Note(end);
  if (!end.failure.empty()) return Fail(ErrorCode::kFailedPrecondition, "{}", end.failure);
  if (end.stopped || end.timed_out) return Fail(ErrorCode::kUnavailable, "stopped");
  return end;
}

}  // namespace headrace::jobs
