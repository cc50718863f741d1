#include "jobs/supervisor/failure_reason.h"

#include "jobs/python/missing_module.h"

namespace headrace::jobs {
namespace {

std::string Trimmed(std::string text) {
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : text.substr(begin);
}

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The end of `text`: the last lines say most.
std::string Tail(const std::string& text, size_t size) {
  if (text.size() <= size) return text;
  size_t begin = text.size() - size;
  while (begin < text.size() && ContinuesCharacter(text[begin])) ++begin;
  return text.substr(begin);
}

std::string HowRankEnded(const RankEnd& rank) {
  const auto who = fmt::format("rank {} on {}", rank.rank, rank.host);
  if (rank.held_by != 0)
    return fmt::format("{}: held by {}, and ended because it did not go on, exit code: {}", who,
                       SignalName(rank.held_by), rank.exit_code);
  return rank.signal == 0
             ? fmt::format("{}: exit code: {}", who, rank.exit_code)
             : fmt::format("{}: killed by {}, exit code: {}", who, SignalName(rank.signal), rank.exit_code);
}

std::string HowItEnded(const FailureFacts& facts) {
  const auto& end = facts.end;
  std::string how;
  if (end.out_of_memory && facts.memory_limit != 0 && end.peak_bytes >= facts.memory_limit)
    how = fmt::format("out of memory: the job used {} of the {} of {} and was killed, exit code: {}",
                      FormatBytes(end.peak_bytes), FormatBytes(facts.memory_limit), facts.instance_type, end.exit_code);
  else if (end.out_of_memory)
    how = fmt::format("out of memory: the kernel killed the program (SIGKILL), exit code: {}, peak memory {}",
                      end.exit_code, FormatBytes(end.peak_bytes));
  else if (facts.rank)
    how = HowRankEnded(*facts.rank);
  else if (end.signal != 0)
    how = fmt::format("killed by {}, exit code: {}, peak memory {}", SignalName(end.signal), end.exit_code,
                      FormatBytes(end.peak_bytes));
  else
    how = fmt::format("exit code: {}, peak memory {}", end.exit_code, FormatBytes(end.peak_bytes));
  if (end.refused_beyond != 0)
    how += fmt::format("; processes or threads above {} were refused (job-tasks)", end.refused_beyond);
  return how;
}

}  // namespace

std::string Truncate(std::string text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && ContinuesCharacter(text[size])) --size;
  text.resize(size);
  return text;
}

std::string FormatBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string FailureReason(const FailureFacts& facts) {
  if (!facts.end.failure.empty()) return Truncate(facts.end.failure, kLongestFailureReason);
  const bool names_host = facts.host.empty() || facts.rank;
  const std::string prefix = names_host ? "AlgorithmError: " : "AlgorithmError: " + facts.host + ": ";
  const auto remedy = RemedyForMissingModule(facts.last_lines, facts.image);
  const std::string how = HowItEnded(facts) + (remedy.empty() ? "" : ". " + remedy);
  if (const auto text = Trimmed(facts.failure_file); !text.empty()) {
    const auto room = kLongestFailureReason - prefix.size() - how.size() - 2;
    return prefix + Truncate(text, room) + ", " + how;
  }
  std::string reason = Truncate(prefix + how, kLongestFailureReason);
  std::string lines;
  for (const auto& line : facts.last_lines) lines += line + "\n";
  if (const auto text = Trimmed(lines); !text.empty() && reason.size() + 64 < kLongestFailureReason) {
    reason += ". Last lines:\n";
    reason += Tail(text, kLongestFailureReason - reason.size());
  }
  return reason;
}

}  // namespace headrace::jobs
