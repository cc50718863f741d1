#include "apps/confusion_matrix_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>

#include <cairo-svg.h>
#include <cairo.h>

#include "base/result.h"

namespace headrace::apps {
namespace {

constexpr const char* kFont = "DejaVu Sans";
constexpr double kMargin = 28, kGap = 12, kTitle = 21, kSubtitle = 13.5, kLabel = 13;
constexpr double kScaleWidth = 16, kScaleGap = 26, kScaleLabels = 52;

struct Color {
  double r, g, b;
};
constexpr Color kInk = {0.11, 0.14, 0.19}, kMuted = {0.38, 0.42, 0.48}, kPaper = {1, 1, 1};

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

enum class Align { kLeft, kCenter, kRight };

// Cairo with the few things a chart needs. Coordinates are units of the picture; text is placed by its middle line.
class Canvas {
 public:
  explicit Canvas(cairo_t* cairo) : cairo_(cairo) {}

  void Fill(const Color& color) {
    Use(color);
    cairo_paint(cairo_);
  }
  void Rectangle(double x, double y, double width, double height, const Color& color) {
    Use(color);
    cairo_rectangle(cairo_, x, y, width, height);
    cairo_fill(cairo_);
  }
  void Line(double x0, double y0, double x1, double y1, const Color& color, double width) {
    Use(color);
    cairo_set_line_width(cairo_, width);
    cairo_move_to(cairo_, x0, y0);
    cairo_line_to(cairo_, x1, y1);
    cairo_stroke(cairo_);
  }
  double TextWidth(const std::string& text, double size, bool bold = false) {
    SetFont(size, bold);
    cairo_text_extents_t extents;
    cairo_text_extents(cairo_, text.c_str(), &extents);
    return extents.x_advance;
  }
  void Text(const std::string& text, double x, double y, double size, Align align, const Color& color,
            bool bold = false, double angle = 0) {
    const double width = TextWidth(text, size, bold);
    Use(color);
    cairo_save(cairo_);
    cairo_translate(cairo_, x, y);
    cairo_rotate(cairo_, angle);
    const double start = align == Align::kLeft ? 0 : align == Align::kCenter ? -width / 2 : -width;
    cairo_move_to(cairo_, start, size * 0.36);  // half the height of capitals, the same for every text
    cairo_show_text(cairo_, text.c_str());
    cairo_restore(cairo_);
  }

 private:
  void Use(const Color& color) { cairo_set_source_rgb(cairo_, color.r, color.g, color.b); }
  void SetFont(double size, bool bold) {
    cairo_select_font_face(cairo_, kFont, CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo_, size);
  }
  cairo_t* cairo_;
};

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

// ------------------------------------------------------------------------------------------------- surfaces

struct Destroy {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
};
using SurfacePtr = std::unique_ptr<cairo_surface_t, Destroy>;
using CairoPtr = std::unique_ptr<cairo_t, Destroy>;

cairo_status_t AppendTo(void* text, const unsigned char* bytes, unsigned int size) {
  static_cast<std::string*>(text)->append(reinterpret_cast<const char*>(bytes), size);
  return CAIRO_STATUS_SUCCESS;
}

void CheckStatus(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS)
    throw MakeError(ErrorCode::kInternal, "confusion matrix: it cannot be drawn: {}", cairo_status_to_string(status));
}

// Texts must be measured before the size of the picture is known.
Layout Measure(const ConfusionMatrix& matrix) {
  const SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1));
  const CairoPtr cairo(cairo_create(surface.get()));
  Canvas canvas(cairo.get());
  return Arrange(canvas, matrix);
}

void DrawOn(cairo_surface_t* surface, const Layout& layout, const ConfusionMatrix& matrix, double scale) {
  const CairoPtr cairo(cairo_create(surface));
  cairo_scale(cairo.get(), scale, scale);
  Canvas canvas(cairo.get());
  Draw(canvas, layout, matrix);
  CheckStatus(cairo_status(cairo.get()));
}

}  // namespace

std::string DrawSvg(const ConfusionMatrix& matrix) {
  const Layout layout = Measure(matrix);
  std::string svg;
  const SurfacePtr surface(cairo_svg_surface_create_for_stream(AppendTo, &svg, layout.width, layout.height));
  DrawOn(surface.get(), layout, matrix, 1);
  cairo_surface_finish(surface.get());
  CheckStatus(cairo_surface_status(surface.get()));
  return svg;
}

std::string DrawPng(const ConfusionMatrix& matrix) {
  constexpr double kScale = 2;
  const Layout layout = Measure(matrix);
  const auto pixels = [](double size) { return static_cast<int>(std::ceil(size * kScale)); };
  const SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels(layout.width), pixels(layout.height)));
  CheckStatus(cairo_surface_status(surface.get()));
  DrawOn(surface.get(), layout, matrix, kScale);
  std::string png;
  CheckStatus(cairo_surface_write_to_png_stream(surface.get(), AppendTo, &png));
  return png;
}

}  // namespace headrace::apps
