// Image files as TensorFlow's decoders read them, pixel for pixel.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/tensor.h"

namespace headrace::data::image {

inline constexpr uint64_t kMostPixels = uint64_t{1} << 26;

// As those of headrace/data/image.h; `shown` begins messages.
//
// PNG of any kind, as tf.io.decode_png(bytes, channels): 16 bits lose their lower byte, transparency is dropped (or,
// with an even number of channels, kept), palettes become colours, grey is repeated, colours become grey by ITU-R 601.
// `channels`: 1 to 4; 0: those of the file.
Tensor DecodePng(std::string_view bytes, const std::string& shown, int channels);
// JPEG, as tf.io.decode_jpeg(bytes, channels) with its defaults (the fast integer transform, chroma interpolated):
// grey, YCbCr, RGB, CMYK and YCCK, baseline and progressive. `channels`: 1 or 3; 0: those of the file, 3 for CMYK.
Tensor DecodeJpeg(std::string_view bytes, const std::string& shown, int channels);
// Whichever of both its first bytes say.
Tensor DecodeImage(std::string_view bytes, const std::string& shown, int channels);

}  // namespace headrace::data::image
