#include "data/augment.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/result.h"

namespace headrace::data::image {
namespace {

// Turns `width` pixels of three planes into interleaved ones; mirrored, the last pixel comes first.
using InterleaveFn = void (*)(const uint8_t* planes, int64_t plane, int64_t width, bool mirrored, uint8_t* out);

void InterleavePortable(const uint8_t* planes, int64_t plane, int64_t width, bool mirrored, uint8_t* out) {
  for (int64_t i = 0; i < width; ++i, out += 3) {
    const int64_t from = mirrored ? width - 1 - i : i;
    for (int64_t channel = 0; channel < 3; ++channel) out[channel] = planes[channel * plane + from];
  }
}

#if defined(__x86_64__)

// Shuffle masks: byte k of output part p (16 bytes each) is channel (16p + k) % 3 of pixel (16p + k) / 3, taken from 15
// minus that pixel when mirrored; -1 gives zero.
struct Masks {
  alignas(16) int8_t bytes[2][3][3][16];  // [mirrored][part][channel]
};
constexpr Masks kMasks = [] {
  Masks masks{};
  for (int mirrored = 0; mirrored < 2; ++mirrored)
    for (int part = 0; part < 3; ++part)
      for (int channel = 0; channel < 3; ++channel)
        for (int k = 0; k < 16; ++k) {
          const int byte = 16 * part + k, pixel = byte / 3;
          masks.bytes[mirrored][part][channel][k] =
              static_cast<int8_t>(byte % 3 != channel ? -1 : (mirrored != 0 ? 15 - pixel : pixel));
        }
  return masks;
}();

#define HEADRACE_SSSE3 __attribute__((target("ssse3")))

HEADRACE_SSSE3 inline __m128i Load(const void* bytes) { return _mm_loadu_si128(static_cast<const __m128i*>(bytes)); }

// 16 output bytes of 16 pixels.
HEADRACE_SSSE3 inline void StorePart(const int8_t (&masks)[3][16], __m128i r, __m128i g, __m128i b, uint8_t* out) {
  const __m128i red = _mm_shuffle_epi8(r, Load(masks[0])), green = _mm_shuffle_epi8(g, Load(masks[1]));
  const __m128i word = _mm_or_si128(_mm_or_si128(red, green), _mm_shuffle_epi8(b, Load(masks[2])));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), word);
}

HEADRACE_SSSE3 void InterleaveSsse3(const uint8_t* planes, int64_t plane, int64_t width, bool mirrored, uint8_t* out) {
  const auto& masks = kMasks.bytes[mirrored ? 1 : 0];
  int64_t done = 0;
  for (; done + 16 <= width; done += 16, out += 48) {
    const uint8_t* from = planes + (mirrored ? width - 16 - done : done);
    const __m128i r = Load(from), g = Load(from + plane), b = Load(from + 2 * plane);
    StorePart(masks[0], r, g, b, out);
    StorePart(masks[1], r, g, b, out + 16);
    StorePart(masks[2], r, g, b, out + 32);
  }
  if (done < width) InterleavePortable(planes + (mirrored ? 0 : done), plane, width - done, mirrored, out);
}

InterleaveFn Best() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("ssse3") ? InterleaveSsse3 : InterleavePortable;
}

#else

InterleaveFn Best() { return InterleavePortable; }

#endif

InterleaveFn Interleave() {
  static const InterleaveFn best = Best();
  return best;
}

// The part of one axis that lies inside the image: `count` pixels from `from`, landing at `to` of the cut.
struct Inside {
  int64_t from, to, count;
  Inside(int64_t size, int64_t padding, int64_t offset)
      : from(std::clamp<int64_t>(offset - padding, 0, size)),
        to(std::clamp<int64_t>(padding - offset, 0, size)),
        count(std::max<int64_t>(size - std::max(from, to), 0)) {}
};

// Images of this width, the usual one, go through a copy with zeros left and right of every row, so that a shifted row
// is read in one piece.
constexpr int64_t kFastWidth = 32, kMargin = 16, kStride = kFastWidth + 2 * kMargin, kMaxRows = 32;

// Rows `y` of chw [3, height, 32], at most kMaxRows, moved left by `shift` pixels and interleaved.
void AugmentNarrow(const uint8_t* chw, int64_t height, const Inside& y, int64_t shift, bool flip, uint8_t* out) {
  alignas(64) uint8_t padded[3 * kMaxRows * kStride];
  uint8_t* to = padded;
  for (int64_t channel = 0; channel < 3; ++channel) {
    const uint8_t* from = chw + (channel * height + y.from) * kFastWidth;
    for (int64_t row = 0; row < y.count; ++row, from += kFastWidth, to += kStride) {
      std::memset(to, 0, kMargin);
      std::memcpy(to + kMargin, from, kFastWidth);
      std::memset(to + kMargin + kFastWidth, 0, kMargin);
    }
  }
  const InterleaveFn interleave = Interleave();
  for (int64_t row = 0; row < y.count; ++row)
    interleave(padded + row * kStride + kMargin + shift, y.count * kStride, kFastWidth, flip,
               out + (y.to + row) * kFastWidth * 3);
}

}  // namespace

void InterleaveRow(const uint8_t* planes, int64_t plane, int64_t width, uint8_t* out) {
  Interleave()(planes, plane, width, false, out);
}

void AugmentChw(const uint8_t* chw, int64_t height, int64_t width, const CropAndFlip& what, uint8_t* out) {
  if (what.padding < 0 || what.top < 0 || what.left < 0 || what.top > 2 * what.padding || what.left > 2 * what.padding)
    throw MakeError(ErrorCode::kInvalidArgument, "augment: found the offsets ({}, {}), wanted 0 to {}", what.top,
                    what.left, 2 * what.padding);
  const Inside y(height, what.padding, what.top), x(width, what.padding, what.left);
  const int64_t plane = height * width;
  const InterleaveFn interleave = Interleave();
  std::memset(out, 0, static_cast<size_t>(y.to * width) * 3);
  const int64_t below = y.to + y.count;
  std::memset(out + below * width * 3, 0, static_cast<size_t>((height - below) * width) * 3);

  if (width == kFastWidth && height <= kMaxRows && what.padding <= kMargin)
    return AugmentNarrow(chw, height, y, what.left - what.padding, what.flip, out);
  for (int64_t row = 0; row < y.count; ++row) {
    const uint8_t* from = chw + (y.from + row) * width;
    uint8_t* to = out + (y.to + row) * width * 3;
    if (x.count < width) std::memset(to, 0, static_cast<size_t>(width) * 3);
    const int64_t start = what.flip ? width - x.to - x.count : x.to;
    interleave(from + x.from, plane, x.count, what.flip, to + start * 3);
  }
}

}  // namespace headrace::data::image
