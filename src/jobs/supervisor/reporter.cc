#include "jobs/supervisor/reporter.h"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr size_t kLastLines = 24, kLongestLastLine = 1024;

std::string Line(const json& event) { return event.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

void Remember(std::deque<std::string>& lines, std::string_view line) {
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  lines.emplace_back(line.substr(0, kLongestLastLine));
  if (lines.size() > kLastLines) lines.pop_front();
}

}  // namespace

Result<std::unique_ptr<Reporter>> Reporter::Create(const JobDirectory& directory, int attempt, const Clock& clock) {
  HEADRACE_TRY(MakeDirectories(directory.attempt(attempt)));
  HEADRACE_ASSIGN(auto events, SpoolWriter::Create(directory.events(attempt)));
  HEADRACE_ASSIGN(auto log, SpoolWriter::Create(directory.log(attempt)));
  HEADRACE_ASSIGN(auto raw, SpoolWriter::Create(directory.raw_log(attempt)));
  return std::unique_ptr<Reporter>(new Reporter(clock, std::move(events), std::move(log), std::move(raw)));
}

Reporter::Reporter(const Clock& clock, SpoolWriter events, SpoolWriter log, SpoolWriter raw)
    : clock_(clock), events_(std::move(events)), log_(std::move(log)), raw_(std::move(raw)) {}

void Reporter::Note(Status status) {
  if (status_ && !status) status_ = std::move(status);
}

// Never runs backwards, so that log events keep their order.
UnixMillis Reporter::Now() { return last_time_ = std::max(last_time_, clock_.Now()); }

void Reporter::Event(const std::string& line) { Note(events_.Append(line)); }

void Reporter::Phase(const std::string& status, const std::string& message) {
  const std::lock_guard lock(mutex_);
  const auto now = Now();
  if (activity_.phase != status) {
    activity_.phase = status;
    activity_.phase_began = now;
  }
  if (phases_.empty() || phases_.back().first != status) phases_.emplace_back(status, now);
  Event(Line({{"t", now}, {"e", "phase"}, {"status", status}, {"message", message}}));
  Note(log_.Sync());
  Note(events_.Sync());
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

void Reporter::End(const EndOfJob& end) {
  json phases = json::object();
  for (const auto& [name, millis] : PhaseTimes()) phases[name] = phases.value(name, int64_t{0}) + millis;
  const std::lock_guard lock(mutex_);
  Note(log_.Sync());
  Note(raw_.Sync());
  Event(Line({{"t", Now()},
              {"e", "end"},
              {"outcome", end.outcome},
              {"secondary", end.secondary},
              {"reason", end.reason},
              {"phases", phases}}));
  Note(events_.Sync());
}

void Reporter::SayLine(std::string_view text) {
  const std::lock_guard lock(mutex_);
  activity_.last_line = Now();
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

void Reporter::Output(OutputStream stream, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  Note(raw_.Append(bytes));
  const bool is_error = stream == OutputStream::kError;
  std::string lines;
  const auto now = Now();
  (is_error ? error_ : output_).Feed(bytes, [&](std::string_view line) {
    lines += fmt::format("{} {} {}\n", now, is_error ? 'e' : 'o', line);
    Remember(is_error ? last_error_ : last_output_, line);
  });
  if (lines.empty()) return;
  activity_.last_line = now;
  Note(log_.Append(lines));
}

void Reporter::FinishOutput() {
  const std::lock_guard lock(mutex_);
  std::string lines;
  const auto now = Now();
  output_.Finish([&](std::string_view line) {
    lines += fmt::format("{} o {}\n", now, line);
    Remember(last_output_, line);
  });
  error_.Finish([&](std::string_view line) {
    lines += fmt::format("{} e {}\n", now, line);
    Remember(last_error_, line);
  });
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
  const auto now = std::max(last_time_, clock_.Now());
  for (size_t i = 0; i < phases_.size(); ++i)
    times.emplace_back(phases_[i].first, (i + 1 < phases_.size() ? phases_[i + 1].second : now) - phases_[i].second);
  return times;
}

Status Reporter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace headrace::jobs
