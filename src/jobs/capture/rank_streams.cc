#include "jobs/capture/rank_streams.h"

#include <algorithm>
#include <charconv>

namespace headrace::jobs {
namespace {

constexpr std::string_view kBegin = "[1,";
constexpr std::string_view kStreams[] = {"]<stdout>:", "]<stderr>:", "]<stddiag>:"};
constexpr size_t kMostDigits = 7;

bool MayBecome(std::string_view text, std::string_view whole) { return whole.starts_with(text); }

}  // namespace

std::optional<RankStreams::Mark> RankStreams::MarkAt(std::string_view text) const {
  if (text.size() < kBegin.size()) return MayBecome(text, kBegin) ? std::nullopt : std::optional(Mark());
  if (!text.starts_with(kBegin)) return Mark();
  auto digits = text.substr(kBegin.size());
  const auto end = digits.find_first_not_of("0123456789");
  if (end == 0 || std::min(end, digits.size()) > kMostDigits) return Mark();
  if (end == std::string_view::npos) return std::nullopt;
  Mark mark;
  std::from_chars(digits.data(), digits.data() + end, mark.rank);
  if (mark.rank >= ranks_) return Mark();
  const auto rest = digits.substr(end);
  for (const auto stream : kStreams) {
    if (rest.starts_with(stream)) {
      mark.size = kBegin.size() + end + stream.size();
      return mark;
    }
    if (rest.size() < stream.size() && MayBecome(rest, stream)) return std::nullopt;
  }
  return Mark();
}

void RankStreams::Take(std::string_view text, const Emit& emit) {
  while (!text.empty()) {
    // Behind the end of a line whoever speaks next is marked anew; mpirun itself is not.
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto rank = current_;
    lines_[rank].Feed(text.substr(0, end), [&](std::string_view line) { emit(rank, line); });
    if (text[end - 1] == '\n') current_.reset();
    text.remove_prefix(end);
  }
}

void RankStreams::Feed(std::string_view bytes, const Emit& emit) {
  if (ranks_ == 0) {
    lines_[std::nullopt].Feed(bytes, [&](std::string_view line) { emit(std::nullopt, line); });
    return;
  }
  pending_ += bytes;
  std::string_view text = pending_;
  while (!text.empty()) {
    const auto at = text.find('[');
    Take(text.substr(0, at), emit);
    if (at == std::string_view::npos) {
      text = {};
      break;
    }
    text.remove_prefix(at);
    const auto mark = MarkAt(text);
    if (!mark) break;
    if (mark->size == 0) {
      Take(text.substr(0, 1), emit);
      text.remove_prefix(1);
    } else {
      current_ = mark->rank;
      text.remove_prefix(mark->size);
    }
  }
  pending_ = std::string(text);
}

void RankStreams::Finish(const Emit& emit) {
  Take(std::string(std::move(pending_)), emit);
  pending_.clear();
  for (auto& [rank, lines] : lines_) {
    const auto whose = rank;
    lines.Finish([&](std::string_view line) { emit(whose, line); });
  }
}

}  // namespace headrace::jobs
