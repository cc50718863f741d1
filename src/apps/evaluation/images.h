// PNG files as tensors and back.
#pragma once

#include <string>
#include <string_view>

#include "headrace/tensor.h"

namespace headrace::apps {

// uint8 [h, w, 3] from a PNG file of any kind, the pixels that tf.io.decode_png(channels=3) reads: grey and palettes
// become RGB, 16 bits lose their lower byte, transparency is dropped. Throws as DecodePng (data/image/decode.h).
Tensor ReadPng(const std::string& path);

// A PNG of a uint8 [h, w, 3] image.
std::string EncodePng(const Tensor& image);

// A uint8 [h, w, 3] image in another size: each axis that shrinks is averaged over areas, each that grows is
// interpolated linearly (pixel centres at halves). Returns `image` when it has the size.
Tensor Resize(const Tensor& image, int64_t height, int64_t width);

}  // namespace headrace::apps
