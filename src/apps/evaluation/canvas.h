// Canvas: cairo with the few things that a chart needs. One drawing makes an SVG or a PNG.
//
// Coordinates are units of the picture, from its upper left corner; text is placed by its middle line. Throws
// headrace::Error (kInternal) where cairo cannot draw.
#pragma once

#include <functional>
#include <string>

struct _cairo;

namespace headrace::apps {

struct Color {
  double r, g, b;  // 0 to 1
};
constexpr Color kInk = {0.11, 0.14, 0.19}, kMuted = {0.38, 0.42, 0.48}, kPaper = {1, 1, 1};

enum class Align { kLeft, kCenter, kRight };

class Canvas {
 public:
  explicit Canvas(_cairo* cairo) : cairo_(cairo) {}

  void Fill(const Color& color);
  void Rectangle(double x, double y, double width, double height, const Color& color);
  void Line(double x0, double y0, double x1, double y1, const Color& color, double width);
  // A line through points that are added one after the other; Stroke() draws it and begins anew.
  void AddPoint(double x, double y);
  void Stroke(const Color& color, double width);
  void Dot(double x, double y, double radius, const Color& color);
  double TextWidth(const std::string& text, double size, bool bold = false);
  // `angle` in radians, clockwise, around (x, y).
  void Text(const std::string& text, double x, double y, double size, Align align, const Color& color,
            bool bold = false, double angle = 0);

 private:
  void Use(const Color& color);
  void SetFont(double size, bool bold);

  _cairo* cairo_;
};

struct PictureSize {
  double width = 0, height = 0;
};

// Texts must be measured before the size of a picture is known.
void WithMeasuringCanvas(const std::function<void(Canvas&)>& measure);

using Drawing = std::function<void(Canvas&)>;
std::string SvgOf(const PictureSize& size, const Drawing& draw);
std::string PngOf(const PictureSize& size, const Drawing& draw);  // two pixels a unit

}  // namespace headrace::apps
