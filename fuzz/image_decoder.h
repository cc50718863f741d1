// What fuzzers of image decoders have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/error.h"
#include "headrace/tensor.h"

namespace headrace::data::image {

using Decoder = Tensor (*)(std::string_view bytes, const std::string& shown, int channels);

// The bytes are an image with the wanted number of channels (0: any), every pixel of which can be read, or they are
// refused by an Error.
inline void DecodeEverything(Decoder decode, std::string_view bytes, int channels) {
  try {
    const Tensor image = decode(bytes, "fuzz", channels);
    if (image.shape().rank() != 3 || (channels > 0 && image.dim(2) != channels)) __builtin_trap();
    uint8_t sum = 0;
    for (int64_t i = 0; i < image.size(); ++i) sum = static_cast<uint8_t>(sum + image.data<uint8_t>()[i]);
    volatile uint8_t read = sum;
    (void)read;
  } catch (const Error&) {
  }
}

}  // namespace headrace::data::image
