#include <cstring>

#include "headrace/data.h"

#include "base/result.h"
#include "data/augment.h"

namespace headrace::data::cifar10 {

const std::array<const char*, kClasses> kClassNames = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                       "dog",      "frog",       "horse", "ship", "truck"};

namespace {

struct Parsed {
  const uint8_t* chw;
  int64_t label;
};

Parsed Parse(const Element& record) {
  const ExampleView example(Bytes(record.x()));
  const std::string_view image = example.Bytes("image");
  if (image.size() != static_cast<size_t>(kImageBytes))
    throw MakeError(ErrorCode::kInvalidArgument, "tf.Example: feature 'image': found {} bytes, wanted {}", image.size(),
                    kImageBytes);
  const int64_t label = example.Int64("label");
  if (label < 0 || label >= kClasses)
    throw MakeError(ErrorCode::kInvalidArgument, "tf.Example: feature 'label': found {}, wanted 0 to {}", label,
                    kClasses - 1);
  return {reinterpret_cast<const uint8_t*>(image.data()), label};
}

// Image and label share one block of memory: an element that waits in a shuffle buffer should be few cache misses.
struct Block {
  alignas(64) uint8_t pixels[kImageBytes];
  float one_hot[kClasses];
};

Element Make(const Parsed& parsed, const image::CropAndFlip& what) {
  const auto block = std::make_shared_for_overwrite<Block>();
  image::AugmentChw(parsed.chw, kSide, kSide, what, block->pixels);
  std::memset(block->one_hot, 0, sizeof block->one_hot);
  block->one_hot[parsed.label] = 1;
  return {Tensor::View(DType::kUInt8, {kSide, kSide, kChannels}, block->pixels, block),
          Tensor::View(DType::kFloat32, {kClasses}, block->one_hot, block)};
}

}  // namespace

Element ParseRecord(const Element& record) { return Make(Parse(record), {}); }

Element ParseAndAugment(const Element& record, Random& random) {
  constexpr int64_t kPadding = 4;
  return Make(Parse(record), image::CropAndFlip::Draw(kPadding, random));
}

std::string EncodeRecord(std::string_view image_chw, int64_t label) {
  if (image_chw.size() != static_cast<size_t>(kImageBytes))
    throw MakeError(ErrorCode::kInvalidArgument, "CIFAR-10 image: found {} bytes, wanted {}", image_chw.size(),
                    kImageBytes);
  return ExampleBuilder().Bytes("image", image_chw).Int64("label", label).Serialize();
}

}  // namespace headrace::data::cifar10
