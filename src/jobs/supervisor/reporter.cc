#include "jobs/supervisor/reporter.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file.h"
#include "jobs/capture/terminal_lines.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr size_t kLastLines = 24, kLongestLastLine = 1024;
constexpr int kMostRanks = 256;  // whose last lines are remembered: of more, several share a place

std::string Line(const json& event) { return event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

void Remember(std::deque<std::string>& lines, std::string_view line) {
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  lines.emplace_back(line.substr(0, kLongestLastLine));
  if (lines.size() > kLastLines) lines.pop_front();
}

}  // namespace

Result<std::unique_ptr<Reporter>> Reporter::Create(const HostDirectory& directory, int attempt, const Clock& clock,
                                                   const Clock& steady, uint64_t log_bytes) {
  HEADRACE_TRY(MakeDirectories(directory.attempt(attempt)));
  HEADRACE_ASSIGN(auto events, SpoolWriter::Create(directory.events(attempt)));
  HEADRACE_ASSIGN(auto log, SpoolWriter::Create(directory.log(attempt)));
  HEADRACE_ASSIGN(auto raw, SpoolWriter::Create(directory.raw_log(attempt)));
  return std::unique_ptr<Reporter>(
      new Reporter(clock, steady, log_bytes, std::move(events), std::move(log), std::move(raw)));
}

Reporter::Reporter(const Clock& clock, const Clock& steady, uint64_t log_bytes, SpoolWriter events, SpoolWriter log,
                   SpoolWriter raw)
    : clock_(clock),
      steady_(steady),
      events_(std::move(events)),
      log_(std::move(log)),
      raw_(std::move(raw)),
      log_bytes_(log_bytes),
      budget_(log_bytes) {}

void Reporter::Note(Status status) {
  if (status_ && !status) status_ = std::move(status);
}

// Never runs backwards, so that log events keep their order.
UnixMillis Reporter::Now() { return last_time_ = std::max(last_time_, clock_.Now()); }

void Reporter::Event(const std::string& line) { Note(events_.Append(line)); }

void Reporter::Phase(SecondaryStatus secondary, const std::string& message) {
  const std::string status(Text(secondary));
  const std::lock_guard lock(mutex_);
  const auto began = steady_.Now();
  if (activity_.phase != status) {
    activity_.phase = status;
    activity_.phase_began = began;
  }
  if (phases_.empty() || phases_.back().first != status) phases_.emplace_back(status, began);
  Event(Line({{"t", Now()}, {"e", "phase"}, {"status", status}, {"message", message}}));
}

void Reporter::Started() {
  const std::lock_guard lock(mutex_);
  Event(Line({{"t", Now()}, {"e", "started"}}));
}

void Reporter::Sample(double cpu, double memory, double disk) {
  const std::lock_guard lock(mutex_);
  activity_.sampled = true;
  activity_.cpu = cpu;
  activity_.memory = memory;
  Event(Line({{"t", Now()}, {"e", "sample"}, {"cpu", cpu}, {"memory", memory}, {"disk", disk}}));
}

void Reporter::Exit(int code, int signal, uint64_t peak_bytes, bool out_of_memory) {
  const std::lock_guard lock(mutex_);
  Event(Line({{"t", Now()},
              {"e", "exit"},
              {"code", code},
              {"signal", signal},
              {"peak_rss", peak_bytes},
              {"oom", out_of_memory}}));
}

void Reporter::End(const JobEnd& end, bool again) {
  json phases = json::object();
  for (const auto& [name, millis] : PhaseTimes()) phases[name] = phases.value(name, int64_t{0}) + millis;
  const std::lock_guard lock(mutex_);
  Note(log_.Sync());  // before the event: an end that is seen after a crash has all of its log
  Event(Line({{"t", Now()},
              {"e", "end"},
              {"outcome", Text(end.status)},
              {"secondary", Text(end.secondary)},
              {"reason", end.reason},
              {"again", again},
              {"phases", phases}}));
  Note(events_.Sync());
}

void Reporter::SayLine(std::string_view text) {
  const std::lock_guard lock(mutex_);
  activity_.last_line = steady_.Now();
  Append(text);
}

void Reporter::SayHeartbeat(std::string_view line) {
  const std::lock_guard lock(mutex_);
  Append(line);
}

Reporter::Activity Reporter::CurrentActivity() const {
  const std::lock_guard lock(mutex_);
  return activity_;
}

// With mutex_ held.
void Reporter::Append(std::string_view text) {
  std::string lines;
  TerminalLines terminal;
  const auto emit = [&](std::string_view line) { lines += fmt::format("{} p [headrace] {}\n", Now(), line); };
  terminal.Feed(text, emit);
  terminal.Finish(emit);
  Note(log_.Append(lines));
}

void Reporter::ExpectRanks(int ranks, RankTags tags) {
  const std::lock_guard lock(mutex_);
  output_ = RankStreams(ranks);
  error_ = RankStreams(ranks);
  tags_ = std::move(tags);
}

void Reporter::Output(OutputStream stream, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  KeepRaw(bytes);
  std::string lines;
  const auto now = Now();
  (stream == OutputStream::kError ? error_ : output_).Feed(bytes, [&](std::optional<int> rank, std::string_view line) {
    KeepLine(stream, now, rank, line, lines);
  });
  if (lines.empty()) return;
  activity_.last_line = steady_.Now();
  Note(log_.Append(lines));
}

void Reporter::KeepRaw(std::string_view bytes) {
  if (log_bytes_ != 0) bytes = bytes.substr(0, log_bytes_ - std::min(raw_bytes_, log_bytes_));
  raw_bytes_ += bytes.size();
  if (!bytes.empty()) Note(raw_.Append(bytes));
}

// Adds to `lines` what the log gets of it.
void Reporter::KeepLine(OutputStream stream, UnixMillis now, std::optional<int> rank, std::string_view line,
                        std::string& lines) {
  const bool is_error = stream == OutputStream::kError;
  Remember(is_error ? last_error_ : last_output_, line);
  std::string mark;
  if (rank) {
    mark = tags_->Of(*rank, is_error ? "stderr" : "stdout");
    auto& [output, error] = last_of_ranks_[*rank % kMostRanks];
    Remember(is_error ? error : output, line);
  }
  const auto kept = fmt::format("{} {} {}{}", now, is_error ? 'e' : 'o', mark, line);
  if (budget_.Take(kept)) {
    lines += kept + "\n";
  } else if (!told_of_budget_) {
    told_of_budget_ = true;
    lines += fmt::format(
        "{} p [headrace] warning: the log has all but the end of the {} bytes that a job may keep (job-log-mib): of "
        "what "
        "follows only the last lines are kept, and metric definitions see these only\n",
        now, log_bytes_);
  }
}

std::vector<std::string> Reporter::LastLinesOf(int rank) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_of_ranks_.find(rank % kMostRanks);
  if (found == last_of_ranks_.end()) return {};
  const auto& [output, error] = found->second;
  const auto& lines = error.empty() ? output : error;
  return {lines.begin(), lines.end()};
}

void Reporter::FinishOutput() {
  const std::lock_guard lock(mutex_);
  std::string lines;
  const auto now = Now();
  for (const auto& [from, stream] : {std::pair{&output_, OutputStream::kOutput}, {&error_, OutputStream::kError}}) {
    const auto which = stream;
    from->Finish([&](std::optional<int> rank, std::string_view line) { KeepLine(which, now, rank, line, lines); });
  }
  const auto rest = budget_.Finish();
  if (rest.lines != 0)
    lines += fmt::format("{} p [headrace] {} lines with {} bytes were left out here\n", now, rest.lines, rest.bytes);
  for (const auto& line : rest.last) lines += line + "\n";
  if (!lines.empty()) Note(log_.Append(lines));
}

std::vector<std::string> Reporter::LastLines() const {
  const std::lock_guard lock(mutex_);
  const auto& lines = last_error_.empty() ? last_output_ : last_error_;
  return {lines.begin(), lines.end()};
}

std::vector<std::pair<std::string, int64_t>> Reporter::PhaseTimes() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, int64_t>> times;
  const auto now = steady_.Now();
  for (size_t i = 0; i < phases_.size(); ++i)
    times.emplace_back(phases_[i].first, (i + 1 < phases_.size() ? phases_[i + 1].second : now) - phases_[i].second);
  return times;
}

void Reporter::GoOn() {
  const std::lock_guard lock(mutex_);
  status_ = {};
}

Status Reporter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace headrace::jobs
