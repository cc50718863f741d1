#include "horovod/stall_watch.h"

#include "base/log.h"

namespace headrace::hvd {
namespace {

std::string NamesOf(const std::vector<Absent>& missing) {
  constexpr size_t kShown = 6;
  std::string names;
  for (size_t i = 0; i < missing.size() && i < kShown; ++i) {
    if (i > 0) names += ", ";
    names += NameOf(missing[i]);
    if (!missing[i].doing.empty()) names += ", last " + missing[i].doing;
  }
  if (missing.size() > kShown) names += fmt::format(" and {} more", missing.size() - kShown);
  return names;
}

}  // namespace

std::string NameOf(const Absent& absent) {
  return absent.host.empty() ? fmt::format("rank {}", absent.rank)
                             : fmt::format("rank {} ({})", absent.rank, absent.host);
}

Status StallWatch::Check(const std::vector<Absent>& missing, bool prints) {
  for (const auto& absent : missing) {
    if (absent.ended)
      return Fail(ErrorCode::kUnavailable, "{}: the process of {} has ended; {} waited for it", what_,
                  NamesOf({absent}), who_);
    if (absent.failed)
      return Fail(ErrorCode::kUnavailable, "{}: {} has given up after an error of its own; {} waited for it", what_,
                  NamesOf({absent}), who_);
    if (absent.left)
      return Fail(ErrorCode::kUnavailable, "{}: {} has called shutdown(); {} waited for it", what_, NamesOf({absent}),
                  who_);
  }
  const int64_t waited = clock_.Now() - since_;
  if (settings_.stall_limit_ms != 0 && waited >= settings_.stall_limit_ms)
    return Fail(ErrorCode::kUnavailable,
                "{}: {} waited {} s for {}; HOROVOD_STALL_SHUTDOWN_TIME_SECONDS sets how long a rank may be missing",
                what_, who_, waited / 1000, NamesOf(missing));
  if (settings_.stall_warning_ms != 0 && waited - warned_ms_ >= settings_.stall_warning_ms) {
    warned_ms_ = waited;
    if (prints) Log(LogLevel::kWarning, "{}: {} has waited {} s for {}", what_, who_, waited / 1000, NamesOf(missing));
  }
  return {};
}

}  // namespace headrace::hvd
