// PNG images as TensorFlow's decode_png reads them, pixel for pixel.
#pragma once

#include <string>
#include <string_view>

#include "headrace/tensor.h"

namespace headrace::apps {

// uint8 [h, w, channels] of a PNG of any kind, as tf.io.decode_png(bytes, channels): 16 bits lose their lower byte,
// transparency is dropped (or, with an even number of channels, kept), palettes become colours, grey is repeated,
// colours become grey by ITU-R 601. `channels`: 1 to 4; 0: those of the file. `shown` begins messages. Throws
// kInvalidArgument for bytes that are no PNG, kDataLoss for a damaged one, and kResourceExhausted, before there is
// memory for them, for more than 2^26 pixels or more than the file can hold.
Tensor DecodePng(std::string_view bytes, const std::string& shown, int channels);

}  // namespace headrace::apps
