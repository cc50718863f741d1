#include "apps/comparison/training_progress.h"

#include <algorithm>
#include <charconv>

namespace headrace::apps::comparison {
namespace {

constexpr size_t kMaxEpochs = 100'000;  // more tell nothing new, and a log may say anything

// Takes a number from the front of `text`.
std::optional<int64_t> TakeNumber(std::string_view& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool TakeWord(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\b";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// What a terminal would show in the end of a line that was redrawn.
std::string_view LastDrawing(std::string_view line) {
  line = Trimmed(line);
  const size_t redrawn = line.find_last_of("\r\b");
  return Trimmed(redrawn == std::string_view::npos ? line : line.substr(redrawn + 1));
}

// "[1,mpirank:RANK,HOST]<stdout>:", or mpirun's own "[1,RANK]<stdout>:", is taken from the line; false: another rank
// than 0.
bool IsOfFirstRank(std::string_view& line) {
  std::string_view rest = line;
  if (!TakeWord(rest, "[1,")) return true;
  const bool with_host = TakeWord(rest, "mpirank:");
  const auto rank = TakeNumber(rest);
  if (!rank) return true;
  if (with_host) rest.remove_prefix(std::min(rest.find(']'), rest.size()));
  if (!TakeWord(rest, "]<stdout>:") && !TakeWord(rest, "]<stderr>:")) return true;
  line = rest;
  return *rank == 0;
}

// "Epoch 3/10"
bool IsHeader(std::string_view line) {
  line = Trimmed(line);
  return TakeWord(line, "Epoch ") && TakeNumber(line) && TakeWord(line, "/") && TakeNumber(line) && line.empty();
}

struct Bar {
  int64_t steps = 0;
  double seconds_per_step = 0;
};

// "25/25 [====] - 2s 66ms/step …": a bar that is full. A time that is printed in whole seconds is as good as the
// elapsed time over the steps.
std::optional<Bar> FullBar(std::string_view line) {
  std::string_view rest = LastDrawing(line);
  const auto current = TakeNumber(rest);
  if (!current || !TakeWord(rest, "/") || TakeNumber(rest) != current || *current == 0) return std::nullopt;
  const size_t unit_end = rest.find("/step");
  if (unit_end == std::string_view::npos) return std::nullopt;
  rest = rest.substr(0, unit_end);
  const size_t space = rest.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::string_view step = rest.substr(space + 1), elapsed = rest.substr(0, space);
  const auto number = TakeNumber(step);
  if (!number) return std::nullopt;
  const auto value = static_cast<double>(*number);
  if (step == "ms") return Bar{*current, value * 1e-3};
  if (step == "us") return Bar{*current, value * 1e-6};
  if (step != "s") return std::nullopt;
  elapsed.remove_prefix(elapsed.rfind(' ') + 1);  // of npos: the whole text
  const auto seconds = TakeNumber(elapsed);
  if (seconds && elapsed == "s" && *seconds > 0)
    return Bar{*current, static_cast<double>(*seconds) / static_cast<double>(*current)};
  return Bar{*current, value};
}

}  // namespace

void TrainingProgress::Feed(int64_t time, std::string_view message) {
  if (!IsOfFirstRank(message)) return;
  if (IsHeader(message)) {
    if (!epochs_.empty() && !epochs_.back().end) epochs_.back().end = time;
    if (epochs_.size() < kMaxEpochs) epochs_.push_back({.begin = time, .end = {}});
    return;
  }
  // A bar behind an epoch's end is that of an evaluation.
  if (epochs_.empty() || epochs_.back().end) return;
  const auto bar = FullBar(message);
  if (!bar) return;
  Epoch& epoch = epochs_.back();
  epoch.end = time;
  epoch.steps = bar->steps;
  epoch.seconds_per_step = bar->seconds_per_step;
}

}  // namespace headrace::apps::comparison
