// JPEG images: any bytes become an image of the size that its header says, or an error, with little memory for it. The
// first byte chooses the number of channels.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "data/image/decode.h"
#include "image_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const int channels = bytes[0] % 3 == 2 ? 3 : bytes[0] % 3;
  const std::string_view file(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  headrace::data::image::DecodeEverything(headrace::data::image::DecodeJpeg, file, channels);
  return 0;
}
