#include "apps/evaluation/canvas.h"

#include <cmath>
#include <memory>
#include <numbers>

#include <cairo-svg.h>
#include <cairo.h>

#include "base/result.h"

namespace headrace::apps {
namespace {

constexpr const char* kFont = "DejaVu Sans";

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
    throw MakeError(ErrorCode::kInternal, "picture: it cannot be drawn: {}", cairo_status_to_string(status));
}

void DrawOn(cairo_surface_t* surface, double scale, const Drawing& draw) {
  CheckStatus(cairo_surface_status(surface));
  const CairoPtr cairo(cairo_create(surface));
  cairo_scale(cairo.get(), scale, scale);
  Canvas canvas(cairo.get());
  draw(canvas);
  CheckStatus(cairo_status(cairo.get()));
}

}  // namespace

void Canvas::Fill(const Color& color) {
  Use(color);
  cairo_paint(cairo_);
}

void Canvas::Rectangle(double x, double y, double width, double height, const Color& color) {
  Use(color);
  cairo_rectangle(cairo_, x, y, width, height);
  cairo_fill(cairo_);
}

void Canvas::Line(double x0, double y0, double x1, double y1, const Color& color, double width) {
  AddPoint(x0, y0);
  AddPoint(x1, y1);
  Stroke(color, width);
}

void Canvas::AddPoint(double x, double y) { cairo_line_to(cairo_, x, y); }

void Canvas::Stroke(const Color& color, double width) {
  Use(color);
  cairo_set_line_width(cairo_, width);
  cairo_stroke(cairo_);
}

void Canvas::Dot(double x, double y, double radius, const Color& color) {
  Use(color);
  cairo_arc(cairo_, x, y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(cairo_);
}

double Canvas::TextWidth(const std::string& text, double size, bool bold) {
  SetFont(size, bold);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo_, text.c_str(), &extents);
  return extents.x_advance;
}

void Canvas::Text(const std::string& text, double x, double y, double size, Align align, const Color& color, bool bold,
                  double angle) {
  const double width = TextWidth(text, size, bold);
  Use(color);
  cairo_save(cairo_);
  cairo_translate(cairo_, x, y);
  cairo_rotate(cairo_, angle);
  const double start = align == Align::kLeft ? 0 : align == Align::kCenter ? -width / 2 : -width;
  cairo_move_to(cairo_, start, size * 0.36);  // half the height of capitals, the same for every text
  cairo_show_text(cairo_, text.c_str());
  cairo_restore(cairo_);
  cairo_new_path(cairo_);
}

void Canvas::Use(const Color& color) { cairo_set_source_rgb(cairo_, color.r, color.g, color.b); }

void Canvas::SetFont(double size, bool bold) {
  cairo_select_font_face(cairo_, kFont, CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo_, size);
}

void WithMeasuringCanvas(const std::function<void(Canvas&)>& measure) {
  const SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1));
  DrawOn(surface.get(), 1, measure);
}

std::string SvgOf(const PictureSize& size, const Drawing& draw) {
  std::string svg;
  const SurfacePtr surface(cairo_svg_surface_create_for_stream(AppendTo, &svg, size.width, size.height));
  DrawOn(surface.get(), 1, draw);
  cairo_surface_finish(surface.get());
  CheckStatus(cairo_surface_status(surface.get()));
  return svg;
}

std::string PngOf(const PictureSize& size, const Drawing& draw) {
  constexpr double kScale = 2;
  const auto pixels = [](double length) { return static_cast<int>(std::ceil(length * kScale)); };
  const SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, pixels(size.width), pixels(size.height)));
  DrawOn(surface.get(), kScale, draw);
  std::string png;
  CheckStatus(cairo_surface_write_to_png_stream(surface.get(), AppendTo, &png));
  return png;
}

}  // namespace headrace::apps
