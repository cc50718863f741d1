#include "apps/evaluation/images.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <png.h>

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

// The inputs of one output along an axis: weights of consecutive places, which sum to 1.
struct Tap {
  int64_t start = 0;
  std::vector<float> weights;
};

std::vector<Tap> Taps(int64_t in, int64_t out) {
  std::vector<Tap> taps(static_cast<size_t>(out));
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  for (int64_t i = 0; i < out; ++i) {
    Tap& tap = taps[static_cast<size_t>(i)];
    if (ratio > 1) {  // the share of each input in [begin, end)
      const double begin = static_cast<double>(i) * ratio, end = std::min(begin + ratio, static_cast<double>(in));
      tap.start = static_cast<int64_t>(begin);
      for (int64_t x = tap.start; static_cast<double>(x) < end && x < in; ++x) {
        const double covered = std::min(end, x + 1.0) - std::max(begin, static_cast<double>(x));
        tap.weights.push_back(static_cast<float>(covered / (end - begin)));
      }
    } else {
      const double center = std::clamp((static_cast<double>(i) + 0.5) * ratio - 0.5, 0.0, static_cast<double>(in - 1));
      tap.start = std::min(static_cast<int64_t>(center), std::max<int64_t>(in - 2, 0));
      const auto fraction = static_cast<float>(center - static_cast<double>(tap.start));
      tap.weights = in == 1 ? std::vector<float>{1} : std::vector<float>{1 - fraction, fraction};
    }
  }
  return taps;
}

// out[o, y, i] = sum over y' of in[o, y', i] * weight: the middle axis changes its size.
std::vector<float> ResizeAxis(const std::vector<float>& in, int64_t outer, int64_t size, int64_t inner,
                              int64_t wanted) {
  const std::vector<Tap> taps = Taps(size, wanted);
  std::vector<float> out(static_cast<size_t>(outer * wanted * inner));
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t y = 0; y < wanted; ++y) {
      const Tap& tap = taps[static_cast<size_t>(y)];
      float* row = &out[static_cast<size_t>((o * wanted + y) * inner)];
      for (size_t k = 0; k < tap.weights.size(); ++k) {
        const float* source = &in[static_cast<size_t>((o * size + tap.start + static_cast<int64_t>(k)) * inner)];
        for (int64_t i = 0; i < inner; ++i) row[i] += tap.weights[k] * source[i];
      }
    }
  return out;
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
  const auto* pixels = image.data<uint8_t>();
  const std::vector<float> wide(pixels, pixels + image.size());
  const std::vector<float> narrow = ResizeAxis(wide, h, w, kChannels, width);
  const std::vector<float> result = ResizeAxis(narrow, 1, h, width * kChannels, height);
  Tensor resized(DType::kUInt8, {height, width, kChannels});
  for (int64_t i = 0; i < resized.size(); ++i)
    resized.data<uint8_t>()[i] =
        static_cast<uint8_t>(std::lround(std::clamp(result[static_cast<size_t>(i)], 0.0f, 255.0f)));
  return resized;
}

}  // namespace headrace::apps
