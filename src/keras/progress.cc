#include "keras/progress.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/core.h>

namespace headrace::keras::internal {
namespace {

constexpr int64_t kBarWidth = 30;
constexpr double kRedrawSeconds = 0.05;  // Keras's
// Where lines cannot be redrawn they stay: a line a step would bury a log, none for an epoch would leave whoever
// follows it in doubt. Keras has no such limit.
constexpr double kLineSeconds = 5;

std::string FormatEta(double seconds) {
  const auto s = static_cast<int64_t>(seconds);
  if (seconds > 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60);
  if (seconds > 60) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}s", s);
}

std::string FormatTimePerStep(double seconds) {
  if (seconds >= 1) return fmt::format("{:.0f}s/step", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.0f}ms/step", seconds * 1e3);
  return fmt::format("{:.0f}us/step", seconds * 1e6);
}

}  // namespace

std::string FormatMetric(const std::string& name, double value) {
  if (std::isnan(value)) return fmt::format(" - {}: nan", name);  // Python prints no sign
  return std::fabs(value) > 1e-3 ? fmt::format(" - {}: {:.4f}", name, value)
                                 : fmt::format(" - {}: {:.4e}", name, value);
}

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Progbar::Progbar(Options options) : options_(std::move(options)) {
  start_ = options_.now();
  // On a terminal the first update shows at once, in a log after its interval.
  last_update_ = options_.terminal ? start_ - 1 : start_;
}

void Progbar::Update(int64_t current, const Logs& values, bool last) {
  if (last) options_.target = current;
  const bool done = options_.target > 0 && current >= options_.target;
  const double now = options_.now(), elapsed = now - start_;
  const double interval = options_.terminal ? kRedrawSeconds : kLineSeconds;
  if (options_.verbose == 0 || (!done && (options_.verbose == 2 || now - last_update_ < interval))) return;
  last_update_ = now;

  std::string text = options_.verbose == 2 ? fmt::format(" - {:.0f}s", elapsed) : Bar(current) + Time(current, elapsed);
  for (const auto& [name, value] : values) text += FormatMetric(name, value);
  Draw(text, done);
}

std::string Progbar::Bar(int64_t current) const {
  if (options_.target == 0) return fmt::format("{:7}/Unknown", current);
  const auto digits = fmt::formatted_size("{}", options_.target);
  const int64_t filled = kBarWidth * current / options_.target;
  std::string bar;
  if (filled > 0) bar = std::string(filled - 1, '=') + (current < options_.target ? '>' : '=');
  bar.append(kBarWidth - filled, '.');
  return fmt::format("{:{}}/{} [{}]", current, digits, options_.target, bar);
}

std::string Progbar::Time(int64_t current, double elapsed) const {
  const double per_step = current > 0 ? elapsed / static_cast<double>(current) : 0;
  if (current < options_.target) return " - ETA: " + FormatEta(per_step * (options_.target - current));
  return fmt::format(" - {:.0f}s {}", elapsed, FormatTimePerStep(per_step));
}

void Progbar::Draw(const std::string& text, bool last) {
  if (!options_.terminal || options_.verbose == 2) return options_.write(text + "\n");
  std::string drawn = std::string(width_, '\b') + "\r" + text;
  if (width_ > text.size()) drawn.append(width_ - text.size(), ' ');
  if (last) drawn += "\n";
  width_ = last ? 0 : text.size();
  options_.write(drawn);
}

}  // namespace headrace::keras::internal
