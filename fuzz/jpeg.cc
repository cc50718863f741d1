// JPEG images: any bytes become an image of the size that its header says, or an error, with little memory for it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "headrace/error.h"

#include "data/image/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const int channels = bytes[0] % 3 == 2 ? 3 : bytes[0] % 3;
  const std::string_view file(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  try {
    const headrace::Tensor image = headrace::data::image::DecodeJpeg(file, "fuzz.jpg", channels);
    if (image.shape().rank() != 3 || (channels > 0 && image.dim(2) != channels)) __builtin_trap();
    uint8_t sum = 0;
    for (int64_t i = 0; i < image.size(); ++i) sum = static_cast<uint8_t>(sum + image.data<uint8_t>()[i]);
    volatile uint8_t read = sum;  // every pixel is there
    (void)read;
  } catch (const headrace::Error&) {
  }
  return 0;
}
