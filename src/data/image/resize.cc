// Resize(): the arithmetic of TensorFlow's kernels, half-pixel centres everywhere. Bilinear without antialiasing is an
// operation of its own there (ResizeBilinear), as nearest, bicubic and area; the other methods, and those two with
// antialiasing, are sums over a kernel's reach (ScaleAndTranslate).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "headrace/data.h"

#include "base/result.h"

namespace headrace::data::image {
namespace {

// The places of a line that are summed, with their weights, for one place of the line that is made.
struct Span {
  int64_t start = 0;
  std::vector<float> weights;  // of start, start + 1, …
};
using Spans = std::vector<Span>;  // of all places of the line that is made

struct Kernel {
  float radius;
  float (*value)(float x);
};

float Triangle(float x) { return std::max(0.0f, 1.0f - std::fabs(x)); }

float Lanczos(float x, float radius) {
  constexpr float kPi = 3.14159265359f;
  x = std::fabs(x);
  if (x > radius) return 0;
  if (x <= 1e-3f) return 1;
  return radius * std::sin(kPi * x) * std::sin(kPi * x / radius) / (kPi * kPi * x * x);
}

float Gaussian(float x) {
  constexpr float kRadius = 1.5f, kSigma = 0.5f;  // a third of the radius
  x = std::fabs(x);
  return x >= kRadius ? 0 : std::exp(-x * x / (2.0f * kSigma * kSigma));
}

float MitchellCubic(float x) {
  x = std::fabs(x);
  if (x >= 2) return 0;
  if (x >= 1) return (((-7.0f / 18.0f) * x + 2.0f) * x - 10.0f / 3.0f) * x + 16.0f / 9.0f;
  return (((7.0f / 6.0f) * x - 2.0f) * x) * x + 8.0f / 9.0f;
}

float KeysCubic(float x) {
  x = std::fabs(x);
  if (x >= 2) return 0;
  if (x >= 1) return ((-0.5f * x + 2.5f) * x - 4.0f) * x + 2.0f;
  return ((1.5f * x - 2.5f) * x) * x + 1.0f;
}

Kernel KernelOf(ResizeMethod method) {
  switch (method) {
    case ResizeMethod::kBicubic:
      return {2, KeysCubic};
    case ResizeMethod::kLanczos3:
      return {3, [](float x) { return Lanczos(x, 3); }};
    case ResizeMethod::kLanczos5:
      return {5, [](float x) { return Lanczos(x, 5); }};
    case ResizeMethod::kGaussian:
      return {1.5f, Gaussian};
    case ResizeMethod::kMitchellCubic:
      return {2, MitchellCubic};
    default:
      return {1, Triangle};
  }
}

Spans SpansOfKernel(const Kernel& kernel, int64_t in, int64_t out, bool antialias) {
  const float inverse_scale = 1.0f / (static_cast<float>(out) / static_cast<float>(in));
  const float kernel_scale = antialias ? std::max(inverse_scale, 1.0f) : 1.0f;
  const float reach = kernel.radius * kernel_scale;
  Spans all;
  for (int64_t x = 0; x < out; ++x) {
    Span& span = all.emplace_back();
    const float sample = (static_cast<float>(x) + 0.5f) * inverse_scale;
    if (sample < 0 || sample > static_cast<float>(in)) continue;
    const auto clamp = [&](float place) { return std::clamp<int64_t>(static_cast<int64_t>(place), 0, in - 1); };
    span.start = clamp(std::ceil(sample - reach - 0.5f));
    const int64_t end = clamp(std::floor(sample + reach - 0.5f)) + 1;
    float sum = 0;
    for (int64_t source = span.start; source < end; ++source) {
      const float position = static_cast<float>(source) + 0.5f - sample;
      span.weights.push_back(kernel.value(position * (1.0f / kernel_scale)));
      sum += span.weights.back();
    }
    if (std::fabs(sum) < 1000.0f * std::numeric_limits<float>::min()) continue;
    for (float& weight : span.weights) weight *= 1.0f / sum;
  }
  return all;
}

// ResizeBilinear's: two neighbours. (a + (b - a) * t) is what it computes; the weights here differ in the last bit.
Spans BilinearSpans(int64_t in, int64_t out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  Spans all;
  for (int64_t x = 0; x < out; ++x) {
    const float place = (static_cast<float>(x) + 0.5f) * scale - 0.5f, below = std::floor(place);
    const auto lower = std::clamp<int64_t>(static_cast<int64_t>(below), 0, in - 1);
    const auto upper = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(place)), 0, in - 1);
    const float part = place - below;
    if (lower == upper)
      all.push_back({lower, {1.0f}});
    else
      all.push_back({lower, {1.0f - part, part}});
  }
  return all;
}

// ResizeBicubic's: four neighbours with weights from a table of 1024 steps; those beyond the edges have none.
Spans BicubicSpans(int64_t in, int64_t out) {
  constexpr int kSteps = 1024;
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  Spans all;
  for (int64_t x = 0; x < out; ++x) {
    const float place = (static_cast<float>(x) + 0.5f) * scale - 0.5f, below = std::floor(place);
    const auto step = static_cast<int>(std::lrint((place - below) * kSteps));
    const auto first = static_cast<int64_t>(below) - 1;
    Span span{.start = std::max<int64_t>(first, 0)};
    float sum = 0;
    for (int64_t i = 0; i < 4; ++i) {
      if (first + i < 0 || first + i >= in) continue;
      const float distance = static_cast<float>(i) - 1.0f - static_cast<float>(step) / kSteps;
      span.weights.push_back(KeysCubic(distance));
      sum += span.weights.back();
    }
    if (std::fabs(sum) >= 1000.0f * std::numeric_limits<float>::min())
      for (float& weight : span.weights) weight /= sum;
    all.push_back(std::move(span));
  }
  return all;
}

// ResizeArea's: each place is what it covers of the line, in proportion.
Spans AreaSpans(int64_t in, int64_t out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  Spans all;
  for (int64_t x = 0; x < out; ++x) {
    const float from = static_cast<float>(x) * scale, to = static_cast<float>(x + 1) * scale;
    Span span{.start = std::min(static_cast<int64_t>(std::floor(from)), in - 1)};
    const int64_t end = std::min(static_cast<int64_t>(std::ceil(to)), in);
    for (int64_t source = span.start; source < std::max(end, span.start + 1); ++source) {
      const float begins = std::max(from, static_cast<float>(source));
      const float ends = std::min(to, static_cast<float>(source + 1));
      span.weights.push_back((ends - begins) / scale);
    }
    all.push_back(std::move(span));
  }
  return all;
}

Spans SpansOf(int64_t in, int64_t out, const ResizeOptions& options) {
  if (options.method == ResizeMethod::kArea) return AreaSpans(in, out);
  if (options.method == ResizeMethod::kBilinear && !options.antialias) return BilinearSpans(in, out);
  if (options.method == ResizeMethod::kBicubic && !options.antialias) return BicubicSpans(in, out);
  return SpansOfKernel(KernelOf(options.method), in, out, options.antialias);
}

// The parts of [n, h, w, c].
struct Size {
  int64_t images, height, width, channels;
  int64_t row() const { return width * channels; }
};

// out[place] = sum of weights * in, where a place is `step` floats, `count` of which lie next to each other.
void SumSpan(const Span& span, const float* in, int64_t step, int64_t count, float* out) {
  std::fill(out, out + count, 0.0f);
  in += span.start * step;
  for (const float weight : span.weights) {
    for (int64_t i = 0; i < count; ++i) out[i] += in[i] * weight;
    in += step;
  }
}

// Along the rows first, then across them.
void ResizeOne(const float* in, const Size& from, const Spans& rows, const Spans& columns, float* out) {
  const auto width = static_cast<int64_t>(columns.size());
  std::vector<float> wide(static_cast<size_t>(from.height * width * from.channels));
  for (int64_t y = 0; y < from.height; ++y)
    for (int64_t x = 0; x < width; ++x)
      SumSpan(columns[static_cast<size_t>(x)], in + y * from.row(), from.channels, from.channels,
              wide.data() + (y * width + x) * from.channels);
  const int64_t row = width * from.channels;
  for (const Span& span : rows) {
    SumSpan(span, wide.data(), row, row, out);
    out += row;
  }
}

std::vector<int64_t> NearestPlaces(int64_t in, int64_t out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  std::vector<int64_t> places;
  for (int64_t x = 0; x < out; ++x)
    places.push_back(
        std::clamp<int64_t>(static_cast<int64_t>(std::floor((static_cast<float>(x) + 0.5f) * scale)), 0, in - 1));
  return places;
}

Tensor ResizeNearest(const Tensor& images, const Size& from, int64_t height, int64_t width, Shape shape) {
  Tensor out(images.dtype(), std::move(shape));
  const auto rows = NearestPlaces(from.height, height), columns = NearestPlaces(from.width, width);
  const size_t pixel = SizeOf(images.dtype()) * static_cast<size_t>(from.channels);
  const auto* in = static_cast<const char*>(images.raw());
  auto* to = static_cast<char*>(out.raw());
  for (int64_t image = 0; image < from.images; ++image)
    for (const int64_t row : rows)
      for (const int64_t column : columns) {
        const int64_t place = (image * from.height + row) * from.width + column;
        std::memcpy(to, in + static_cast<size_t>(place) * pixel, pixel);
        to += pixel;
      }
  return out;
}

Size CheckedSize(const Tensor& images, int64_t height, int64_t width) {
  const Shape& shape = images.shape();
  if (shape.rank() != 3 && shape.rank() != 4)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "Resize: found the shape {}, wanted (height, width, channels) or (images, height, width, channels)",
                    shape.ToString());
  const size_t first = shape.rank() - 3;
  const Size size{first == 1 ? shape[0] : 1, shape[first], shape[first + 1], shape[first + 2]};
  if (height < 1 || width < 1 || size.height < 1 || size.width < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "Resize: found {} x {} to {} x {} pixels, wanted at least 1 x 1 each",
                    size.height, size.width, height, width);
  return size;
}

// The largest size of the same proportions that fits.
void KeepProportions(const Size& from, int64_t& height, int64_t& width) {
  const float scale = std::min(static_cast<float>(height) / static_cast<float>(from.height),
                               static_cast<float>(width) / static_cast<float>(from.width));
  height = std::max<int64_t>(1, std::lrint(scale * static_cast<float>(from.height)));
  width = std::max<int64_t>(1, std::lrint(scale * static_cast<float>(from.width)));
}

}  // namespace

Tensor Resize(const Tensor& images, int64_t height, int64_t width, ResizeOptions options) {
  const Size from = CheckedSize(images, height, width);
  if (options.preserve_aspect_ratio) KeepProportions(from, height, width);
  Shape shape = images.shape();
  shape[shape.rank() - 3] = height;
  shape[shape.rank() - 2] = width;
  if (options.method == ResizeMethod::kNearest) return ResizeNearest(images, from, height, width, std::move(shape));

  const Spans rows = SpansOf(from.height, height, options), columns = SpansOf(from.width, width, options);
  const Tensor in = images.Cast(DType::kFloat32);
  Tensor out(DType::kFloat32, std::move(shape));
  for (int64_t image = 0; image < from.images; ++image)
    ResizeOne(in.data<float>() + image * from.height * from.row(), from, rows, columns,
              out.data<float>() + image * height * width * from.channels);
  return out;
}

}  // namespace headrace::data::image
