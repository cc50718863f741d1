#include "jobs/training/spool_reader.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "jobs/directory/spool.h"
#include "jobs/metrics/use_metrics.h"
#include "jobs/training/job_state.h"
#include "store/meta/logs.h"
#include "store/meta/metrics.h"
#include "store/meta/training_jobs.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr size_t kPiece = size_t{1} << 20;
// Of each metric definition; later ones are kept as statistics of a piece of the log, so that a flood of lines does not
// become a flood of samples.
constexpr uint64_t kMostSamples = 100'000;
constexpr const char* kNamespace = "/aws/sagemaker/TrainingJobs";

struct LogLine {
  UnixMillis time = 0;
  char stream = 'o';
  std::string_view text;
};

// "MILLISECONDS STREAM TEXT"
LogLine ParseLogLine(std::string_view line) {
  LogLine parsed;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), parsed.time);
  const auto digits = static_cast<size_t>(end - line.data());
  if (error != std::errc() || line.size() < digits + 3) return {};
  parsed.stream = line[digits + 1];
  parsed.text = line.substr(digits + 3);
  return parsed;
}

// Adds a value to the statistics of its metric.
void AddTo(store::MetricSample& statistics, const store::MetricSample& sample) {
  statistics.time = sample.time;
  statistics.minimum = statistics.count == 0 ? sample.minimum : std::min(statistics.minimum, sample.minimum);
  statistics.maximum = statistics.count == 0 ? sample.maximum : std::max(statistics.maximum, sample.maximum);
  statistics.sum += sample.sum;
  statistics.count += sample.count;
}

void SetFinal(std::vector<store::FinalMetric>& metrics, const store::FinalMetric& metric) {
  for (auto& known : metrics)
    if (known.name == metric.name) {
      known = metric;
      return;
    }
  metrics.push_back(metric);
}

// What the job shows when one of its hosts has come further; a stop that was asked for is not taken back.
void Show(const std::optional<JobPhase>& before, const IngestState& state, store::TrainingJob& job, UnixMillis now) {
  const auto phase = PhaseOfJob(state);
  if (!phase || phase == before) return;
  const bool stopping = TrainingStatusOf(job.status) == TrainingStatus::kStopping;
  if (!stopping || phase->status == SecondaryStatus::kUploading)
    store::MoveTo(job, Text(phase->status), phase->message, now);
}

void Apply(const json& event, store::TrainingJob& job, size_t host, IngestState& state) {
  const auto kind = event.value("e", "");
  const UnixMillis time = event.value("t", int64_t{0});
  const auto before = PhaseOfJob(state);
  auto& of_host = state.hosts[host];
  if (kind == "phase") {
    const auto status = SecondaryStatusOf(event.value("status", ""));
    const auto message = event.value("message", "");
    if (status == SecondaryStatus::kStopping) {
      store::Finish(job, Text(TrainingStatus::kStopping), Text(*status), message, time);
    } else if (status) {
      of_host.phase = *status;
      of_host.message = message;
    }
  } else if (kind == "exit") {
    of_host.program_ended = true;
  } else if (kind == "end") {
    of_host.end = HostEnd{JobEndOf(event.value("outcome", ""), event.value("secondary", ""), event.value("reason", "")),
                          time, event.value("again", false)};
  }
  Show(before, state, job, time);
}

}  // namespace

// What the lines add up to, before it is written.
struct SpoolReader::Batch {
  std::vector<std::string> lines;  // whose text is in `log`
  std::vector<store::LogLineIn> log;
  std::vector<store::MetricDatum> metrics;
  std::map<std::string, store::MetricSample> statistics;  // of metrics that have too many values
  std::vector<store::FinalMetric> last_values;
  std::vector<json> events;
};

Result<bool> SpoolReader::Ingest(size_t host, IngestState& state) {
  IngestState next = state;
  HEADRACE_ASSIGN(auto batch, Collect(host, next));
  if (batch.events.empty() && batch.log.empty()) return false;
  Status written = Write(store::WriteKind::kGrows, host, batch, next);
  if (!written && written.error().code() == ErrorCode::kResourceExhausted && !batch.events.empty()) {
    // The disk is full: what became of the job is written all the same, its log waits.
    batch.log.clear();
    batch.metrics.clear();
    batch.last_values.clear();
    next.hosts[host].log_offset = state.hosts[host].log_offset;
    next.matches = state.matches;
    next.not_numeric = state.not_numeric;
    written = Write(store::WriteKind::kFrees, host, batch, next);
  }
  HEADRACE_TRY(written);
  state = std::move(next);
  return true;
}

// Reads on from where `next` is, and moves it.
Result<SpoolReader::Batch> SpoolReader::Collect(size_t host, IngestState& next) const {
  auto& of_host = next.hosts[host];
  const auto& directory = directories_[host];
  // The supervisor writes the log before the event that ends it: read in the other order, nothing is missed.
  HEADRACE_ASSIGN(const auto events, ReadSpool(directory.events(next.attempt), of_host.events_offset, kPiece));
  HEADRACE_ASSIGN(auto lines, ReadSpool(directory.log(next.attempt), of_host.log_offset, kPiece));
  of_host.events_offset = events.next_offset;
  of_host.log_offset = lines.next_offset;
  next.matches.resize(metrics_.definitions().size());
  next.not_numeric.resize(metrics_.definitions().size());
  Batch batch;
  batch.lines = std::move(lines.lines);
  for (const auto& text : batch.lines) TakeLine(text, next, batch);
  for (const auto& [name, of_piece] : batch.statistics)
    batch.metrics.push_back({{account_, kNamespace, name, {{"TrainingJobName", name_}}}, of_piece});
  for (const auto& text : events.lines) TakeEvent(text, of_host.name, batch);
  return batch;
}

void SpoolReader::TakeLine(const std::string& text, IngestState& next, Batch& batch) const {
  const auto line = ParseLogLine(text);
  batch.log.push_back({line.time, line.text});
  if (line.stream == 'p') return;
  std::vector<MetricMiss> misses;
  for (const auto& sample : metrics_.Match(line.text, &misses)) {
    ++next.matches[sample.definition];
    const auto& name = metrics_.definitions()[sample.definition].name;
    const auto value = store::MetricSample::Of(line.time, sample.value);
    if (next.matches[sample.definition] <= kMostSamples)
      batch.metrics.push_back({{account_, kNamespace, name, {{"TrainingJobName", name_}}}, value});
    else
      AddTo(batch.statistics.try_emplace(name, store::MetricSample{0, 0}).first->second, value);
    SetFinal(batch.last_values, {name, sample.value, line.time});
  }
  for (const auto& miss : misses) ++next.not_numeric[miss.definition];
}

void SpoolReader::TakeEvent(const std::string& text, const std::string& host, Batch& batch) const {
  auto event = json::parse(text, nullptr, false);
  if (!event.is_object()) return;
  if (event.value("e", "") == "sample")
    AddUseMetrics({account_, kNamespace, "", {{"Host", name_ + "/" + host}}}, event.value("t", int64_t{0}),
                  {event.value("cpu", 0.0), event.value("memory", 0.0), event.value("disk", 0.0)}, batch.metrics);
  batch.events.push_back(std::move(event));
}

// In one transaction; `next` gets what the events say.
Status SpoolReader::Write(store::WriteKind kind, size_t host, const Batch& batch, IngestState& next) const {
  const auto now = clock_.Now();
  return database_.Write(kind, [&](store::Connection& db) -> Status {
    if (!batch.log.empty())
      HEADRACE_TRY(store::Logs::AppendIn(
          db, {account_, kNamespace, next.hosts[host].log_stream, true, store::LogTimes::kNeverDecreasing}, batch.log,
          now));
    if (!batch.metrics.empty()) HEADRACE_TRY(store::Metrics::PutIn(db, batch.metrics));
    const auto updated = store::TrainingJobs::UpdateIn(db, account_, name_, [&](store::TrainingJob& job) -> Status {
      for (const auto& metric : batch.last_values) SetFinal(job.final_metrics, metric);
      for (const auto& event : batch.events) Apply(event, job, host, next);
      job.state = ToJson(next);
      return {};
    });
    if (!updated) return tl::unexpected<Error>(updated.error());
    return {};
  });
}

Status SpoolReader::SayIn(store::Connection& db, const IngestState& state,
                          const std::vector<std::string>& lines) const {
  if (lines.empty()) return {};
  const auto now = clock_.Now();
  std::vector<store::LogLineIn> log;
  for (const auto& line : lines) log.push_back({now, line});
  return store::Logs::AppendIn(
      db, {account_, kNamespace, state.hosts.front().log_stream, true, store::LogTimes::kNeverDecreasing}, log, now);
}

std::vector<std::string> SpoolReader::MetricReport(const IngestState& state) const {
  std::vector<std::string> lines;
  const auto& definitions = metrics_.definitions();
  for (size_t i = 0; i < definitions.size(); ++i) {
    const auto count = i < state.matches.size() ? state.matches[i] : 0;
    const auto bad = i < state.not_numeric.size() ? state.not_numeric[i] : 0;
    const auto& [name, regex] = definitions[i];
    if (count > 0) {
      const auto note = bad == 0 ? "" : fmt::format("; {} further matches were no number", bad);
      lines.push_back(fmt::format("[headrace] metric {}: {} values{}", name, count, note));
    } else {
      const auto found =
          bad == 0 ? "matched no line" : fmt::format("matched {} lines, but its first group never held a number", bad);
      lines.push_back(
          fmt::format("[headrace] warning: metric {}: its regex {}: {} (try others with headrace metrics "
                      "{} --definitions FILE)",
                      name, found, regex, name_));
    }
  }
  return lines;
}

}  // namespace headrace::jobs
