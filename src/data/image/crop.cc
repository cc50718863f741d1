#include <algorithm>
#include <cstring>

#include "headrace/data.h"

#include "base/result.h"
#include "data/augment.h"

namespace headrace::data::image {
namespace {

// The parts of a shape [h, w, c] as numbers of bytes.
struct Layout {
  int64_t height, width, channels;
  size_t pixel;  // bytes
  size_t row() const { return static_cast<size_t>(width) * pixel; }
};

Layout LayoutOf(const Tensor& image) {
  if (image.shape().rank() != 3)
    throw MakeError(ErrorCode::kInvalidArgument, "image: found the shape {}, wanted (height, width, channels)",
                    image.shape().ToString());
  const int64_t channels = image.dim(2);
  return {image.dim(0), image.dim(1), channels, static_cast<size_t>(channels) * SizeOf(image.dtype())};
}

const char* RowOf(const Tensor& image, const Layout& layout, int64_t row) {
  return static_cast<const char*>(image.raw()) + static_cast<size_t>(row) * layout.row();
}

void CheckPositive(int64_t height, int64_t width) {
  if (height <= 0 || width <= 0)
    throw MakeError(ErrorCode::kInvalidArgument, "image: found the wanted size {} x {}, wanted at least 1 x 1", height,
                    width);
}

// Where one axis of `in` pixels lands in one of `out` pixels, as tf.image.resize_with_crop_or_pad counts.
struct Overlap {
  int64_t from, to, count;
  Overlap(int64_t in, int64_t out)
      : from(std::max<int64_t>((in - out) / 2, 0)),
        to(std::max<int64_t>((out - in) / 2, 0)),
        count(std::min(in, out)) {}
};

}  // namespace

Tensor ChwToHwc(const Tensor& chw) {
  const Layout shape = LayoutOf(chw);  // of the axes as they stand: [c, h, w]
  const int64_t channels = shape.height, height = shape.width, width = shape.channels;
  Tensor out(chw.dtype(), {height, width, channels});
  if (chw.dtype() == DType::kUInt8 && channels == 3) {
    for (int64_t row = 0; row < height; ++row)
      InterleaveRow(chw.data<uint8_t>() + row * width, height * width, width, out.data<uint8_t>() + row * width * 3);
    return out;
  }
  const size_t item = SizeOf(chw.dtype());
  const auto* in = static_cast<const char*>(chw.raw());
  auto* to = static_cast<char*>(out.raw());
  for (int64_t pixel = 0; pixel < height * width; ++pixel)
    for (int64_t channel = 0; channel < channels; ++channel, to += item)
      std::memcpy(to, in + static_cast<size_t>(channel * height * width + pixel) * item, item);
  return out;
}

Tensor Crop(const Tensor& hwc, int64_t top, int64_t left, int64_t height, int64_t width) {
  const Layout in = LayoutOf(hwc);
  CheckPositive(height, width);
  if (top < 0 || left < 0 || top > in.height - height || left > in.width - width)
    throw MakeError(ErrorCode::kInvalidArgument, "crop: found {} x {} at ({}, {}), wanted a part of {} x {}", height,
                    width, top, left, in.height, in.width);
  Tensor out(hwc.dtype(), {height, width, in.channels});
  const size_t bytes = static_cast<size_t>(width) * in.pixel;
  for (int64_t row = 0; row < height; ++row)
    std::memcpy(static_cast<char*>(out.raw()) + static_cast<size_t>(row) * bytes,
                RowOf(hwc, in, top + row) + static_cast<size_t>(left) * in.pixel, bytes);
  return out;
}

Tensor ResizeWithCropOrPad(const Tensor& hwc, int64_t height, int64_t width) {
  const Layout in = LayoutOf(hwc);
  CheckPositive(height, width);
  Tensor out = Tensor::Zeros(hwc.dtype(), {height, width, in.channels});
  const Overlap y(in.height, height), x(in.width, width);
  for (int64_t row = 0; row < y.count; ++row)
    std::memcpy(static_cast<char*>(out.raw()) + static_cast<size_t>((y.to + row) * width + x.to) * in.pixel,
                RowOf(hwc, in, y.from + row) + static_cast<size_t>(x.from) * in.pixel,
                static_cast<size_t>(x.count) * in.pixel);
  return out;
}

Tensor FlipLeftRight(const Tensor& hwc) {
  const Layout in = LayoutOf(hwc);
  Tensor out(hwc.dtype(), hwc.shape());
  auto* to = static_cast<char*>(out.raw());
  for (int64_t row = 0; row < in.height; ++row)
    for (int64_t column = in.width - 1; column >= 0; --column, to += in.pixel)
      std::memcpy(to, RowOf(hwc, in, row) + static_cast<size_t>(column) * in.pixel, in.pixel);
  return out;
}

Tensor RandomCrop(const Tensor& hwc, int64_t height, int64_t width, Random& random) {
  const Layout in = LayoutOf(hwc);
  if (height > in.height || width > in.width)
    throw MakeError(ErrorCode::kInvalidArgument, "random crop: found the wanted size {} x {}, wanted at most {} x {}",
                    height, width, in.height, in.width);
  const auto top = static_cast<int64_t>(random.Below(static_cast<uint64_t>(in.height - height + 1)));
  const auto left = static_cast<int64_t>(random.Below(static_cast<uint64_t>(in.width - width + 1)));
  return Crop(hwc, top, left, height, width);
}

Tensor RandomFlipLeftRight(const Tensor& hwc, Random& random) {
  return random.Uniform() < 0.5f ? FlipLeftRight(hwc) : hwc;
}

CropAndFlip CropAndFlip::Draw(int64_t padding, Random& random) {
  const auto places = static_cast<uint64_t>(2 * padding + 1);
  CropAndFlip what{.padding = padding};
  what.top = static_cast<int64_t>(random.Below(places));
  what.left = static_cast<int64_t>(random.Below(places));
  what.flip = random.Uniform() < 0.5f;
  return what;
}

Tensor AugmentChw(const Tensor& chw, const CropAndFlip& what) {
  if (chw.shape().rank() != 3 || chw.dim(0) != 3 || chw.dtype() != DType::kUInt8)
    throw MakeError(ErrorCode::kInvalidArgument, "augment: found {} {}, wanted uint8 (3, height, width)",
                    NameOf(chw.dtype()), chw.shape().ToString());
  Tensor out(DType::kUInt8, {chw.dim(1), chw.dim(2), 3});
  AugmentChw(chw.data<uint8_t>(), chw.dim(1), chw.dim(2), what, out.data<uint8_t>());
  return out;
}

}  // namespace headrace::data::image
