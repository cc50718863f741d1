#include "apps/comparison/curves_text.h"

#include <algorithm>
#include <cmath>

#include "apps/comparison/curve_range.h"

namespace headrace::apps::comparison {
namespace {

constexpr int kPlotRows = 6, kLeastColumns = 12, kMostColumns = 40, kGap = 2;
constexpr int kDotsAcross = 2, kDotsDown = 4;  // of a Braille character

// A field of dots that is printed as Braille.
class DotField {
 public:
  explicit DotField(int columns) : columns_(columns), cells_(static_cast<size_t>(columns) * kPlotRows) {}

  int width() const { return columns_ * kDotsAcross; }
  int height() const { return kPlotRows * kDotsDown; }

  void Set(int x, int y) {
    // Unicode numbers the dots of the left column 0, 1, 2, 6 and those of the right one 3, 4, 5, 7.
    static constexpr int kBits[kDotsAcross][kDotsDown] = {{0, 1, 2, 6}, {3, 4, 5, 7}};
    unsigned char& cell = cells_[static_cast<size_t>(y / kDotsDown * columns_ + x / kDotsAcross)];
    cell = static_cast<unsigned char>(cell | 1 << kBits[x % kDotsAcross][y % kDotsDown]);
  }

  void Line(int x0, int y0, int x1, int y1) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i)
      Set(x0 + (x1 - x0) * i / steps, y0 + static_cast<int>(std::lround(static_cast<double>(y1 - y0) * i / steps)));
  }

  std::string Row(int row) const {
    std::string text;
    for (int column = 0; column < columns_; ++column) {
      const unsigned code = 0x2800u + cells_[static_cast<size_t>(row * columns_ + column)];
      text += {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)),
               static_cast<char>(0x80 | (code & 0x3f))};
    }
    return text;
  }

 private:
  const int columns_;
  std::vector<unsigned char> cells_;
};

DotField Draw(const Curve* curve, const CurveRange& range, int columns) {
  DotField field(columns);
  if (curve == nullptr) return field;
  int last_x = -1, last_y = 0;
  for (size_t i = 0; i < curve->values.size(); ++i) {
    if (!CanBeDrawn(curve->values[i])) continue;
    const auto dot = [](double share, int dots) { return std::clamp(static_cast<int>(share * dots), 0, dots - 1); };
    const int x = dot(range.seconds.Share(curve->seconds[i]), field.width());
    const int y = field.height() - 1 - dot(range.values.Share(curve->values[i]), field.height());
    field.Line(last_x < 0 ? x : last_x, last_x < 0 ? y : last_y, x, y);
    last_x = x;
    last_y = y;
  }
  return field;
}

// At most `width` characters; what is longer loses its middle.
std::string Fitted(const std::string& name, size_t width) {
  if (name.size() <= width) return name + std::string(width - name.size(), ' ');
  const size_t tail = (width - 2) / 2, head = width - 2 - tail;
  return name.substr(0, head) + ".." + name.substr(name.size() - tail);
}

std::string Charts(const std::vector<ComparedJob>& jobs, const std::string& metric, int columns) {
  const CurveRange range = RangeOf(jobs, metric);
  const std::string high = fmt::format("{:.4g}", range.values.high), low = fmt::format("{:.4g}", range.values.low);
  const size_t margin = std::max(high.size(), low.size());
  const int room = (columns - static_cast<int>(margin)) / static_cast<int>(jobs.size()) - kGap;
  const int width = std::clamp(room, kLeastColumns, kMostColumns);

  std::vector<DotField> fields;
  std::string heads(margin, ' ');
  for (const ComparedJob& job : jobs) {
    fields.push_back(Draw(FindCurve(job, metric), range, width));
    heads += std::string(kGap, ' ') + Fitted(job.name, static_cast<size_t>(width));
  }
  std::string text = metric + "\n" + heads.substr(0, heads.find_last_not_of(' ') + 1) + "\n";
  for (int row = 0; row < kPlotRows; ++row) {
    text += fmt::format("{:>{}}", row == 0 ? high : row == kPlotRows - 1 ? low : "", margin);
    for (const DotField& field : fields) text += " |" + field.Row(row);
    text += "\n";
  }
  std::string feet(margin, ' ');
  const std::string last = fmt::format("{:.4g} s", range.seconds.high);
  for (size_t i = 0; i < jobs.size(); ++i) feet += fmt::format("  0{:>{}}", last, width - 1);
  return text + feet + "\n";
}

}  // namespace

std::string CurvesAsText(const std::vector<ComparedJob>& jobs, int columns) {
  std::string text;
  for (const std::string& metric : CurveNames(jobs)) text += (text.empty() ? "" : "\n") + Charts(jobs, metric, columns);
  return text;
}

}  // namespace headrace::apps::comparison
