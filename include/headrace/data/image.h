// headrace/data/image.h: functions of images. Included by headrace/data.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "headrace/data/element.h"
#include "headrace/tensor.h"

namespace headrace::data {

enum class ResizeMethod : uint8_t {
  kBilinear,
  kNearest,
  kBicubic,
  kArea,
  kLanczos3,
  kLanczos5,
  kGaussian,
  kMitchellCubic
};
struct ResizeOptions {
  ResizeMethod method = ResizeMethod::kBilinear;
  bool preserve_aspect_ratio = false;  // as large as fits into the wanted size
  bool antialias = false;              // when it gets smaller, each pixel is made of all that it covers
};

// Functions of one image [h, w, c] of any dtype, with the semantics of their namesakes in tf.image and tf.io.
namespace image {

// uint8 [h, w, channels] of the bytes of a file, pixel for pixel what TensorFlow's defaults give. `channels`: 1 grey, 3
// RGB, of PNG also 2 and 4 with transparency; 0: as many as the file has. Throws kInvalidArgument for bytes that are no
// such image, kDataLoss for a damaged one, and kResourceExhausted, before there is memory for them, for more than 2^26
// pixels or more than the file can hold.
Tensor DecodeJpeg(std::string_view bytes, int channels = 0);
Tensor DecodePng(std::string_view bytes, int channels = 0);
Tensor DecodeImage(std::string_view bytes, int channels = 0);  // whichever of both it is

// [h, w, c], or several [n, h, w, c], to another height and width: float32, or with kNearest of the same dtype.
Tensor Resize(const Tensor& images, int64_t height, int64_t width, ResizeOptions options = {});

Tensor ChwToHwc(const Tensor& chw);  // [c, h, w] -> [h, w, c]
// Central crop or zero padding; an odd difference leaves the extra row or column at the bottom or right.
Tensor ResizeWithCropOrPad(const Tensor& hwc, int64_t height, int64_t width);
Tensor Crop(const Tensor& hwc, int64_t top, int64_t left, int64_t height, int64_t width);
Tensor FlipLeftRight(const Tensor& hwc);
Tensor RandomCrop(const Tensor& hwc, int64_t height, int64_t width, Random& random);
Tensor RandomFlipLeftRight(const Tensor& hwc, Random& random);  // with probability 1/2

// What an augmentation does to one image: pad by `padding` zeros on every side, cut out [h, w] at (top, left) of the
// padded image, mirror. top and left are in [0, 2 padding].
struct CropAndFlip {
  int64_t padding = 0, top = 0, left = 0;
  bool flip = false;
  static CropAndFlip Draw(int64_t padding, Random& random);  // the draws of RandomCrop, then RandomFlipLeftRight
};
// ChwToHwc, ResizeWithCropOrPad, Crop and FlipLeftRight in one pass over a uint8 image [3, h, w].
Tensor AugmentChw(const Tensor& chw, const CropAndFlip& what);

}  // namespace image

}  // namespace headrace::data
