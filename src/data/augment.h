// The augmentation of small colour images as one pass over plain memory.
#pragma once

#include <cstdint>

#include "headrace/data.h"

namespace headrace::data::image {

// Three planes of `width` bytes, `plane` bytes apart, to `width` pixels of three bytes. May write nothing else.
void InterleaveRow(const uint8_t* planes, int64_t plane, int64_t width, uint8_t* out);

// image::AugmentChw: chw [3, height, width] to out [height, width, 3].
void AugmentChw(const uint8_t* chw, int64_t height, int64_t width, const CropAndFlip& what, uint8_t* out);

}  // namespace headrace::data::image
