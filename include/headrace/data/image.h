// headrace/data/image.h: functions of images. Included by headrace/data.h.
#pragma once

#include <cstdint>

#include "headrace/data/element.h"
#include "headrace/tensor.h"

namespace headrace::data {

// Functions of one image [h, w, c] of any dtype, with the semantics of their namesakes in tf.image.
namespace image {

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
