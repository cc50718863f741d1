#include "jobs/training/spool_reader.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "jobs/capture/instance_use.h"
#include "jobs/directory/spool.h"
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

void Apply(const json& event, store::TrainingJob& job, IngestState& state) {
  const auto kind = event.value("e", "");
  const UnixMillis time = event.value("t", int64_t{0});
  if (kind == "phase") {
    const auto status = event.value("status", ""), message = event.value("message", "");
    const bool stopping = TrainingStatusOf(job.status) == TrainingStatus::kStopping;
    if (SecondaryStatusOf(status) == SecondaryStatus::kStopping)
      store::Finish(job, Text(TrainingStatus::kStopping), status, message, time);
    else if (!stopping || SecondaryStatusOf(status) == SecondaryStatus::kUploading)  // a stop is not taken back
      store::MoveTo(job, status, message, time);
  } else if (kind == "exit") {
    state.program_ended = true;
  } else if (kind == "end") {
    state.end = JobEndOf(event.value("outcome", ""), event.value("secondary", ""), event.value("reason", ""));
  }
}

}  // namespace

// What the lines add up to, before it is written.
// What the lines add up to, before it is written.
struct SpoolReader::Batch {
  std::vector<store::LogLineIn> log;
  std::vector<store::MetricDatum> metrics;
  std::vector<store::FinalMetric> last_values;
  std::vector<json> events;
};

Result<bool> SpoolReader::Ingest(IngestState& state) {
  // The supervisor writes the log before the event that ends it: read in the other order, nothing is missed.
  HEADRACE_ASSIGN(const auto events, ReadSpool(directory_.events(state.attempt), state.events_offset, kPiece));
  HEADRACE_ASSIGN(const auto lines, ReadSpool(directory_.log(state.attempt), state.log_offset, kPiece));
  if (events.lines.empty() && lines.lines.empty()) return false;

  IngestState next = state;
  next.events_offset = events.next_offset;
  next.log_offset = lines.next_offset;
  next.matches.resize(metrics_.definitions().size());
  next.not_numeric.resize(metrics_.definitions().size());

  Batch batch;
  std::map<std::string, store::MetricSample> statistics;
  for (const auto& text : lines.lines) {
    const auto line = ParseLogLine(text);
    batch.log.push_back({line.time, line.text});
    if (line.stream == 'p') continue;
    std::vector<MetricMiss> misses;
    for (const auto& sample : metrics_.Match(line.text, &misses)) {
      ++next.matches[sample.definition];
      const auto& name = metrics_.definitions()[sample.definition].name;
      const auto value = store::MetricSample::Of(line.time, sample.value);
      if (next.matches[sample.definition] <= kMostSamples)
        batch.metrics.push_back({{account_, kNamespace, name, {{"TrainingJobName", name_}}}, value});
      else
        AddTo(statistics.try_emplace(name, store::MetricSample{0, 0}).first->second, value);
      SetFinal(batch.last_values, {name, sample.value, line.time});
    }
    for (const auto& miss : misses) ++next.not_numeric[miss.definition];
  }
  for (const auto& [name, of_piece] : statistics)
    batch.metrics.push_back({{account_, kNamespace, name, {{"TrainingJobName", name_}}}, of_piece});
  const std::string host = name_ + "/algo-1";
  for (const auto& text : events.lines) {
    auto event = json::parse(text, nullptr, false);
    if (!event.is_object()) continue;
    if (event.value("e", "") == "sample")
      AddUseMetrics({account_, kNamespace, "", {{"Host", host}}}, event.value("t", int64_t{0}),
                    {event.value("cpu", 0.0), event.value("memory", 0.0), event.value("disk", 0.0)}, batch.metrics);
    batch.events.push_back(std::move(event));
  }

  Status written = Write(store::WriteKind::kGrows, batch, next);
  if (!written && written.error().code() == ErrorCode::kResourceExhausted && !batch.events.empty()) {
    // The disk is full: what became of the job is written all the same, its log waits.
    batch.log.clear();
    batch.metrics.clear();
    batch.last_values.clear();
    next.log_offset = state.log_offset;
    next.matches = state.matches;
    next.not_numeric = state.not_numeric;
    written = Write(store::WriteKind::kFrees, batch, next);
  }
  HEADRACE_TRY(written);
  state = std::move(next);
  return true;
}

// In one transaction; `next` gets what the events say.
Status SpoolReader::Write(store::WriteKind kind, const Batch& batch, IngestState& next) const {
  const auto now = clock_.Now();
  return database_.Write(kind, [&](store::Connection& db) -> Status {
    if (!batch.log.empty())
      HEADRACE_TRY(store::Logs::AppendIn(
          db, {account_, kNamespace, next.log_stream, true, store::LogTimes::kNeverDecreasing}, batch.log, now));
    if (!batch.metrics.empty()) HEADRACE_TRY(store::Metrics::PutIn(db, batch.metrics));
    const auto updated = store::TrainingJobs::UpdateIn(db, account_, name_, [&](store::TrainingJob& job) -> Status {
      for (const auto& metric : batch.last_values) SetFinal(job.final_metrics, metric);
      for (const auto& event : batch.events) Apply(event, job, next);
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
  return store::Logs::AppendIn(db, {account_, kNamespace, state.log_stream, true, store::LogTimes::kNeverDecreasing},
                               log, now);
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
