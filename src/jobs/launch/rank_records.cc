#include "jobs/launch/rank_records.h"

#include <charconv>
#include <csignal>
#include <tuple>

#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"

namespace headrace::jobs {
namespace {

constexpr size_t kLongestRecord = 128;

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

std::vector<RankEnd> ReadRankRecords(const std::string& directory, int ranks) {
  std::vector<RankEnd> ends;
  const auto held = HeldDirectory::Open(directory);
  if (!held) return ends;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto file = held->OpenFile(std::to_string(rank));
    if (!file) continue;
    char text[kLongestRecord];
    const ssize_t n = ::read(file->get(), text, sizeof text);
    if (n <= 0) continue;
    if (auto end = ParseRankRecord(rank, {text, static_cast<size_t>(n)})) ends.push_back(std::move(*end));
  }
  return ends;
}

std::optional<RankEnd> FirstFailure(const std::vector<RankEnd>& ends) {
  const auto key = [](const RankEnd& end) {
    return std::tuple(end.held_by == 0, end.signal == SIGTERM, end.time, end.rank);
  };
  const RankEnd* first = nullptr;
  for (const auto& end : ends)
    if (!end.succeeded() && (first == nullptr || key(end) < key(*first))) first = &end;
  return first == nullptr ? std::nullopt : std::optional(*first);
}

bool WasKilledBy(int signal, const std::optional<RankEnd>& end) { return end.has_value() && end->signal == signal; }

}  // namespace headrace::jobs
