#include "apps/comparison/curves_picture.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "apps/comparison/curve_range.h"
#include "apps/evaluation/canvas.h"

namespace headrace::apps::comparison {
namespace {

constexpr double kMargin = 28, kTitle = 21, kLabel = 13, kTick = 11.5, kPanelTitle = 15, kLegendLine = 22,
                 kLegendText = 36;
constexpr const char* kHeading = "Training jobs compared";
constexpr double kPanelWidth = 440, kPanelHeight = 230, kLeft = 58, kBelow = 44, kAbove = 34, kBetween = 24;
constexpr Color kGrid = {0.90, 0.91, 0.93};

// Okabe and Ito's palette, which people with any sight tell apart, without its yellow, and black.
constexpr std::array<Color, kMostComparedJobs> kColors = {{{0.000, 0.447, 0.698},
                                                           {0.835, 0.369, 0.000},
                                                           {0.000, 0.620, 0.451},
                                                           {0.800, 0.475, 0.655},
                                                           {0.902, 0.624, 0.000},
                                                           {0.337, 0.706, 0.914},
                                                           {0.000, 0.000, 0.000},
                                                           {0.500, 0.500, 0.500}}};

struct Layout {
  std::vector<std::string> metrics;
  size_t columns = 1;
  double top = 0;  // of the first panel
  PictureSize size;
};

std::string Legend(const ComparedJob& job) {
  std::string text = fmt::format("{}  ({})", job.name, job.instances);
  if (job.images_per_second.value) text += fmt::format(" · {:.0f} images/s", *job.images_per_second.value);
  if (job.epoch.value) text += fmt::format(" · {:.2f} s an epoch", *job.epoch.value);
  return text;
}

Layout Arrange(Canvas& canvas, const std::vector<ComparedJob>& jobs) {
  Layout layout;
  double legend = canvas.TextWidth(kHeading, kTitle, true);
  for (const ComparedJob& job : jobs) legend = std::max(legend, kLegendText + canvas.TextWidth(Legend(job), kLabel));
  layout.metrics = CurveNames(jobs);
  const size_t panels = std::max<size_t>(layout.metrics.size(), 1);
  layout.columns = std::min<size_t>(panels, 2);
  const auto rows = static_cast<double>((panels + layout.columns - 1) / layout.columns);
  const auto columns = static_cast<double>(layout.columns);
  layout.top = kMargin + kTitle + 16 + kLegendLine * static_cast<double>(jobs.size()) + 8;
  layout.size.width = 2 * kMargin + std::max(legend, columns * (kLeft + kPanelWidth) + (columns - 1) * kBetween);
  layout.size.height = layout.top + rows * (kAbove + kPanelHeight + kBelow) + kMargin;
  return layout;
}

void DrawLegend(Canvas& canvas, const std::vector<ComparedJob>& jobs) {
  canvas.Text(kHeading, kMargin, kMargin + kTitle / 2, kTitle, Align::kLeft, kInk, true);
  for (size_t i = 0; i < jobs.size(); ++i) {
    const double y = kMargin + kTitle + 16 + kLegendLine * (static_cast<double>(i) + 0.5);
    canvas.Line(kMargin, y, kMargin + 26, y, kColors[i % kColors.size()], 3);
    canvas.Text(Legend(jobs[i]), kMargin + kLegendText, y, kLabel, Align::kLeft, kInk);
  }
}

void DrawAxes(Canvas& canvas, const CurveRange& range, double left, double top) {
  const double bottom = top + kPanelHeight;
  for (const double value : RoundMarks(range.values, 6)) {
    const double y = bottom - kPanelHeight * range.values.Share(value);
    canvas.Line(left, y, left + kPanelWidth, y, kGrid, 1);
    canvas.Text(fmt::format("{:.4g}", value), left - 8, y, kTick, Align::kRight, kMuted);
  }
  for (const double second : RoundMarks(range.seconds, 7)) {
    const double x = left + kPanelWidth * range.seconds.Share(second);
    canvas.Line(x, bottom, x, bottom + 4, kMuted, 1);
    canvas.Text(fmt::format("{:.4g}", second), x, bottom + 13, kTick, Align::kCenter, kMuted);
  }
  canvas.Line(left, bottom, left + kPanelWidth, bottom, kMuted, 1);
  canvas.Text("seconds since the job was created", left + kPanelWidth / 2, bottom + 30, kTick, Align::kCenter, kMuted);
}

void DrawCurve(Canvas& canvas, const Curve& curve, const CurveRange& range, double left, double top,
               const Color& color) {
  std::vector<std::pair<double, double>> points;
  for (size_t i = 0; i < curve.values.size(); ++i)
    if (CanBeDrawn(curve.values[i]))
      points.emplace_back(left + kPanelWidth * range.seconds.Share(curve.seconds[i]),
                          top + kPanelHeight * (1 - range.values.Share(curve.values[i])));
  for (const auto& [x, y] : points) canvas.AddPoint(x, y);
  canvas.Stroke(color, 2);
  constexpr size_t kMostDots = 60;
  if (points.size() > kMostDots) return;
  for (const auto& [x, y] : points) canvas.Dot(x, y, 3, color);
}

void Draw(Canvas& canvas, const Layout& layout, const std::vector<ComparedJob>& jobs) {
  canvas.Fill(kPaper);
  DrawLegend(canvas, jobs);
  if (layout.metrics.empty())
    canvas.Text("None of the jobs has a metric.", kMargin, layout.top + kAbove, kLabel, Align::kLeft, kMuted);
  for (size_t i = 0; i < layout.metrics.size(); ++i) {
    const std::string& metric = layout.metrics[i];
    const CurveRange range = RangeOf(jobs, metric);
    const auto column = static_cast<double>(i % layout.columns), row = static_cast<double>(i / layout.columns);
    const double left = kMargin + kLeft + column * (kLeft + kPanelWidth + kBetween);
    const double top = layout.top + kAbove + row * (kAbove + kPanelHeight + kBelow);
    canvas.Text(metric, left, top - 16, kPanelTitle, Align::kLeft, kInk, true);
    DrawAxes(canvas, range, left, top);
    for (size_t j = 0; j < jobs.size(); ++j)
      if (const Curve* curve = FindCurve(jobs[j], metric))
        DrawCurve(canvas, *curve, range, left, top, kColors[j % kColors.size()]);
  }
}

Layout Measure(const std::vector<ComparedJob>& jobs) {
  Layout layout;
  WithMeasuringCanvas([&](Canvas& canvas) { layout = Arrange(canvas, jobs); });
  return layout;
}

}  // namespace

std::string DrawSvg(const std::vector<ComparedJob>& jobs) {
  const Layout layout = Measure(jobs);
  return SvgOf(layout.size, [&](Canvas& canvas) { Draw(canvas, layout, jobs); });
}

std::string DrawPng(const std::vector<ComparedJob>& jobs) {
  const Layout layout = Measure(jobs);
  return PngOf(layout.size, [&](Canvas& canvas) { Draw(canvas, layout, jobs); });
}

}  // namespace headrace::apps::comparison
