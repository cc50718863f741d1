#include "jobs/launch/rank_records.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <tuple>

#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"
#include "jobs/launch/rank_process.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLongestRecord = 128;
constexpr UnixMillis kMoment = 500;        // nobody is killed as a consequence of another rank's end so soon
constexpr UnixMillis kLastMoments = 3000;  // a held rank's record is written every second

template <typename T>
bool TakeNumber(std::string_view& text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<RankEnd> ParseRankRecord(int rank, std::string_view text) {
  RankEnd end;
  end.rank = rank;
  const auto space = text.find(' ');
  if (space == 0 || space > 63) return std::nullopt;
  end.host = text.substr(0, space);
  if (end.host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") !=
      std::string::npos)
    return std::nullopt;
  text.remove_prefix(space + 1);
  int status = 0;
  if (!TakeNumber(text, status) || !Take(text, ' ') || !TakeNumber(text, end.time) || text != "\n") return std::nullopt;
  if (WIFEXITED(status)) {
    end.exit_code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
    end.exit_code = 128 + end.signal;
  } else if (WIFSTOPPED(status)) {
    end.held_by = WSTOPSIG(status);
    end.signal = SIGKILL;
    end.exit_code = 128 + SIGKILL;
  } else {
    return std::nullopt;
  }
  return end;
}

namespace {

std::optional<RankEnd> ReadRecord(const HeldDirectory& directory, const std::string& name, int rank) {
  const auto file = directory.OpenFile(name);
  if (!file) return std::nullopt;
  char text[kLongestRecord];
  const ssize_t n = ::read(file->get(), text, sizeof text);
  return n <= 0 ? std::nullopt : ParseRankRecord(rank, {text, static_cast<size_t>(n)});
}

}  // namespace

std::vector<RankEnd> ReadRankRecords(const std::string& directory, int ranks) {
  std::vector<RankEnd> ends;
  const auto held = HeldDirectory::Open(directory);
  if (!held) return ends;
  for (int rank = 0; rank < ranks; ++rank)
    if (auto end = ReadRecord(*held, std::to_string(rank), rank)) ends.push_back(std::move(*end));
  return ends;
}

std::optional<RankEnd> FirstFailure(const std::vector<RankEnd>& ends) {
  const auto key = [](const RankEnd& end) { return std::tuple(end.signal == SIGTERM, end.time, end.rank); };
  const RankEnd* first = nullptr;
  for (const auto& end : ends)
    if (!end.succeeded() && (first == nullptr || key(end) < key(*first))) first = &end;
  // The times are those of writing: a rank that failed because another one was killed may have written sooner.
  if (first != nullptr && first->signal == 0)
    for (const auto& end : ends)
      if (end.signal == SIGKILL && end.time <= first->time + kMoment) return end;
  return first == nullptr ? std::nullopt : std::optional(*first);
}

std::optional<RankEnd> CauseOfFailure(const std::string& directory, int ranks) {
  const auto ends = ReadRankRecords(directory, ranks);
  auto first = FirstFailure(ends);
  const auto records = HeldDirectory::Open(directory);
  if (!first || !records) return first;
  const auto ended_by_itself = [&ends](int rank) {
    return std::any_of(ends.begin(), ends.end(), [rank](const RankEnd& end) {
      return end.rank == rank && end.signal != SIGKILL && end.signal != SIGTERM;
    });
  };
  for (int rank = 0; rank < ranks; ++rank) {
    if (ended_by_itself(rank)) continue;
    const auto held = ReadRecord(*records, std::to_string(rank) + kHeldEnding, rank);
    if (held && held->held_by != 0 && held->time >= first->time - kLastMoments) return held;
  }
  return first;
}

bool WasKilledBy(int signal, const std::optional<RankEnd>& end) { return end.has_value() && end->signal == signal; }

}  // namespace headrace::jobs
