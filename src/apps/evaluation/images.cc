#include "apps/evaluation/images.h"

#include <algorithm>
#include <cmath>

#include <png.h>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"
#include "data/image/decode.h"

namespace headrace::apps {
namespace {

constexpr int kChannels = 3;

// libpng's description of an image; freed in every case.
struct Png {
  png_image image = {};
  Png() {
    image.version = PNG_IMAGE_VERSION;
    image.opaque = nullptr;
  }
  Png(const Png&) = delete;
  ~Png() { png_image_free(&image); }
};

void RequireImage(const Tensor& image) {
  if (image.dtype() != DType::kUInt8 || image.shape().rank() != 3 || image.dim(2) != kChannels)
    throw MakeError(ErrorCode::kInvalidArgument, "image: {} {}, wanted uint8 (height, width, 3)", NameOf(image.dtype()),
                    image.shape().ToString());
}

// Of one axis: averages of areas where it shrinks, interpolation between neighbours where it grows.
data::ResizeMethod MethodFor(int64_t from, int64_t to) {
  return to < from ? data::ResizeMethod::kArea : data::ResizeMethod::kBilinear;
}

}  // namespace

Tensor ReadPng(const std::string& path) {
  const std::string bytes = ValueOrThrow(ReadRegularFile(path, size_t{1} << 28));
  return data::image::DecodePng(bytes, path, kChannels);
}

std::string EncodePng(const Tensor& image) {
  RequireImage(image);
  Png png;
  png.image.height = static_cast<png_uint_32>(image.dim(0));
  png.image.width = static_cast<png_uint_32>(image.dim(1));
  png.image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png.image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&png.image, bytes.data(), &size, 0, image.raw(), 0, nullptr) == 0)
    throw MakeError(ErrorCode::kInternal, "image: it cannot be encoded: {}", png.image.message);
  bytes.resize(size);
  return bytes;
}

Tensor Resize(const Tensor& image, int64_t height, int64_t width) {
  RequireImage(image);
  const int64_t h = image.dim(0), w = image.dim(1);
  if (h == height && w == width) return image;
  const Tensor right_width = data::image::Resize(image, h, width, {.method = MethodFor(w, width)});
  const Tensor result = data::image::Resize(right_width, height, width, {.method = MethodFor(h, height)});
  Tensor resized(DType::kUInt8, result.shape());
  for (int64_t i = 0; i < resized.size(); ++i)
    resized.data<uint8_t>()[i] = static_cast<uint8_t>(std::lround(std::clamp(result.data<float>()[i], 0.0f, 255.0f)));
  return resized;
}

}  // namespace headrace::apps
