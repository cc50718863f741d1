#include "apps/evaluation/confusion_matrix_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <fmt/core.h>

#include "apps/evaluation/canvas.h"

namespace headrace::apps {
namespace {

constexpr double kMargin = 28, kGap = 12, kTitle = 21, kSubtitle = 13.5, kLabel = 13;
constexpr double kScaleWidth = 16, kScaleGap = 26, kScaleLabels = 52;

// From paper to deep blue, lightness falling evenly. The low end is steep, so that a few per cent show.
Color HeatColor(double share) {
  static constexpr std::array<Color, 6> kStops = {{{0.965, 0.974, 0.988},
                                                   {0.800, 0.867, 0.945},
                                                   {0.592, 0.741, 0.886},
                                                   {0.337, 0.576, 0.796},
                                                   {0.137, 0.392, 0.651},
                                                   {0.043, 0.220, 0.439}}};
  const double position = std::pow(std::clamp(share, 0.0, 1.0), 0.7) * (kStops.size() - 1);
  const auto index = std::min(static_cast<size_t>(position), kStops.size() - 2);
  const double t = position - static_cast<double>(index);
  const Color &a = kStops[index], &b = kStops[index + 1];
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

// WCAG's relative luminance decides whether dark or light text is easier to read.
bool IsDark(const Color& color) {
  const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
  return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b) < 0.26;
}

std::string Grouped(int64_t number) {  // 10,000
  const std::string digits = std::to_string(number);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

std::string Percent(double share) {
  const double percent = 100 * share;
  return percent > 0 && percent < 0.95 ? fmt::format("{:.1f}%", percent) : fmt::format("{:.0f}%", percent);
}

// Where everything is.
struct Layout {
  double cell = 0, left = 0, top = 0, side = 0;  // of the matrix
  double width = 0, height = 0;
  bool slanted = false;  // labels of columns that are too long to stand side by side
};

constexpr double kSlant = -std::numbers::pi / 4;

Layout Arrange(Canvas& canvas, const ConfusionMatrix& matrix) {
  double longest = 0;
  for (const std::string& name : matrix.classes()) longest = std::max(longest, canvas.TextWidth(name, kLabel));
  Layout layout;
  layout.cell = matrix.size() <= 12 ? std::clamp(longest + 10, 64.0, 84.0) : matrix.size() <= 30 ? 42 : 18;
  layout.side = std::max(layout.cell * static_cast<double>(matrix.size()), 300.0);
  layout.cell = layout.side / static_cast<double>(matrix.size());
  layout.slanted = longest > layout.cell - 4;
  const double below = layout.slanted ? longest * std::sin(-kSlant) + kLabel : kLabel;
  layout.left = kMargin + 1.5 * kLabel + kGap + longest + kGap;
  layout.top = kMargin + kTitle + 10 + kSubtitle + 22;
  layout.width = layout.left + layout.side + kScaleGap + kScaleWidth + kScaleLabels + kMargin;
  layout.height = layout.top + layout.side + kGap + below + kGap + 1.5 * kLabel + kMargin;
  return layout;
}

void DrawTitle(Canvas& canvas, const Layout& layout, const ConfusionMatrix& matrix) {
  const double y = kMargin + kTitle / 2;
  canvas.Text(fmt::format("{:.1f}% of {} images named correctly", 100 * matrix.accuracy(), Grouped(matrix.total())),
              layout.left, y, kTitle, Align::kLeft, kInk, true);
  const std::string subtitle =
      fmt::format("Confusion matrix · accuracy {:.3f} · macro F1 {:.3f} · colour: share of the true class",
                  matrix.accuracy(), matrix.MacroAverage().f1);
  canvas.Text(subtitle, layout.left, y + kTitle / 2 + 10 + kSubtitle / 2, kSubtitle, Align::kLeft, kMuted);
}

void DrawCell(Canvas& canvas, const Layout& layout, const ConfusionMatrix& matrix, size_t row, size_t column) {
  const double share = matrix.share(row, column), cell = layout.cell;
  const double x = layout.left + cell * static_cast<double>(column), y = layout.top + cell * static_cast<double>(row);
  const Color color = HeatColor(share);
  canvas.Rectangle(x, y, cell, cell, color);
  if (cell < 30) return;
  const int64_t count = matrix.count(row, column);
  const Color ink = IsDark(color) ? kPaper : count == 0 ? Color{0.70, 0.74, 0.79} : kInk;
  const bool roomy = cell >= 56 && count > 0;
  const double size = std::clamp(cell * 0.25, 10.0, 17.0);
  canvas.Text(std::to_string(count), x + cell / 2, y + cell / 2 - (roomy ? cell * 0.11 : 0), size, Align::kCenter, ink,
              row == column);
  if (roomy) canvas.Text(Percent(share), x + cell / 2, y + cell * 0.69, 10.5, Align::kCenter, ink);
}

void DrawGrid(Canvas& canvas, const Layout& layout, size_t classes) {
  for (size_t i = 0; i <= classes; ++i) {
    const double at = layout.cell * static_cast<double>(i);
    const double width = layout.cell < 30 ? 0.5 : 1.5;
    canvas.Line(layout.left + at, layout.top, layout.left + at, layout.top + layout.side, kPaper, width);
    canvas.Line(layout.left, layout.top + at, layout.left + layout.side, layout.top + at, kPaper, width);
  }
}

void DrawLabels(Canvas& canvas, const Layout& layout, const ConfusionMatrix& matrix) {
  const double bottom = layout.top + layout.side;
  const double size = std::min(kLabel, layout.cell * 0.8);
  for (size_t i = 0; i < matrix.size(); ++i) {
    const double middle = layout.cell * (static_cast<double>(i) + 0.5);
    const std::string& name = matrix.classes()[i];
    canvas.Text(name, layout.left - kGap, layout.top + middle, size, Align::kRight, kInk);
    if (layout.slanted) {
      canvas.Text(name, layout.left + middle + 4, bottom + kGap, size, Align::kRight, kInk, false, kSlant);
    } else {
      canvas.Text(name, layout.left + middle, bottom + kGap + kLabel / 2, size, Align::kCenter, kInk);
    }
  }
  canvas.Text("true class", kMargin + kLabel / 2, layout.top + layout.side / 2, kLabel, Align::kCenter, kMuted, true,
              -std::numbers::pi / 2);
  canvas.Text("predicted class", layout.left + layout.side / 2, layout.height - kMargin - kLabel / 2, kLabel,
              Align::kCenter, kMuted, true);
}

void DrawScale(Canvas& canvas, const Layout& layout) {
  constexpr int kSteps = 128;
  const double x = layout.left + layout.side + kScaleGap, step = layout.side / kSteps;
  for (int i = 0; i < kSteps; ++i)  // a little overlap hides the seams
    canvas.Rectangle(x, layout.top + step * i, kScaleWidth, i + 1 < kSteps ? step + 0.5 : step,
                     HeatColor(1 - (i + 0.5) / kSteps));
  for (const int percent : {0, 25, 50, 75, 100}) {
    const double y = layout.top + layout.side * (1 - percent / 100.0);
    canvas.Line(x + kScaleWidth, y, x + kScaleWidth + 4, y, kMuted, 1);
    canvas.Text(fmt::format("{}%", percent), x + kScaleWidth + 8, y, 11.5, Align::kLeft, kMuted);
  }
}

void Draw(Canvas& canvas, const Layout& layout, const ConfusionMatrix& matrix) {
  canvas.Fill(kPaper);
  DrawTitle(canvas, layout, matrix);
  for (size_t row = 0; row < matrix.size(); ++row)
    for (size_t column = 0; column < matrix.size(); ++column) DrawCell(canvas, layout, matrix, row, column);
  DrawGrid(canvas, layout, matrix.size());
  DrawLabels(canvas, layout, matrix);
  DrawScale(canvas, layout);
}

Layout Measure(const ConfusionMatrix& matrix) {
  Layout layout;
  WithMeasuringCanvas([&](Canvas& canvas) { layout = Arrange(canvas, matrix); });
  return layout;
}

}  // namespace

std::string DrawSvg(const ConfusionMatrix& matrix) {
  const Layout layout = Measure(matrix);
  return SvgOf({layout.width, layout.height}, [&](Canvas& canvas) { Draw(canvas, layout, matrix); });
}

std::string DrawPng(const ConfusionMatrix& matrix) {
  const Layout layout = Measure(matrix);
  return PngOf({layout.width, layout.height}, [&](Canvas& canvas) { Draw(canvas, layout, matrix); });
}

}  // namespace headrace::apps
