// headrace/data/cifar10.h: the CIFAR-10 data set. Included by headrace/data.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "headrace/data/element.h"

namespace headrace::data {

namespace cifar10 {

inline constexpr int64_t kClasses = 10, kSide = 32, kChannels = 3, kImageBytes = 3072;
extern const std::array<const char*, kClasses> kClassNames;  // "airplane" ... "truck"

// A record of the files that `headrace dataset cifar10` writes (an Example with `image`, 3072 bytes CHW, and `label`)
// to {image uint8 [32, 32, 3], one-hot float32 [10]}. Pixels stay 0..255.
Element ParseRecord(const Element& record);
// The same with the usual augmentation: padded to 40 x 40, cut to a random 32 x 32, mirrored half of the time.
Element ParseAndAugment(const Element& record, Random& random);
// The serialized Example of one image.
std::string EncodeRecord(std::string_view image_chw, int64_t label);

}  // namespace cifar10

}  // namespace headrace::data
