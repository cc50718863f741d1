#include <array>

#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/augment.h"
#include "data/test_files.h"

namespace headrace::data::image {
namespace {

using testing::HasSubstr;

Tensor RandomImage(DType dtype, Shape shape, uint64_t seed = 1) {
  Tensor image(dtype, std::move(shape));
  Random random(seed);
  for (size_t i = 0; i < image.bytes(); ++i)
    static_cast<uint8_t*>(image.raw())[i] = static_cast<uint8_t>(random.Next());
  return image;
}

std::string Text(const Tensor& tensor) { return tensor.shape().ToString() + std::string(Bytes(tensor)); }

TEST(Image, ChwToHwc) {
  for (const int64_t width : {1, 5, 16, 17, 32, 100}) {
    const Tensor chw = RandomImage(DType::kUInt8, {3, 4, width});
    const Tensor hwc = ChwToHwc(chw);
    ASSERT_EQ(hwc.shape(), (Shape{4, width, 3}));
    for (int64_t y = 0; y < 4; ++y)
      for (int64_t x = 0; x < width; ++x)
        for (int64_t c = 0; c < 3; ++c)
          ASSERT_EQ(hwc.data<uint8_t>()[(y * width + x) * 3 + c], chw.data<uint8_t>()[(c * 4 + y) * width + x]);
  }
  const Tensor floats = ChwToHwc(Floats({1.f, 2.f, 3.f, 4.f}, {2, 1, 2}));
  EXPECT_EQ(Text(floats), Text(Floats({1.f, 3.f, 2.f, 4.f}, {1, 2, 2})));
}

TEST(Image, CropPadAndFlip) {
  const Tensor image = Floats({1.f, 2.f, 3.f, 4.f, 5.f, 6.f}, {2, 3, 1});
  EXPECT_EQ(Text(Crop(image, 1, 1, 1, 2)), Text(Floats({5.f, 6.f}, {1, 2, 1})));
  EXPECT_EQ(Text(FlipLeftRight(image)), Text(Floats({3.f, 2.f, 1.f, 6.f, 5.f, 4.f}, {2, 3, 1})));
  // Rows grow by one at the bottom, columns shrink to the middle one.
  EXPECT_EQ(Text(ResizeWithCropOrPad(image, 3, 1)), Text(Floats({2.f, 5.f, 0.f}, {3, 1, 1})));
  EXPECT_EQ(Text(ResizeWithCropOrPad(image, 1, 6)), Text(Floats({0.f, 1.f, 2.f, 3.f, 0.f, 0.f}, {1, 6, 1})));
  EXPECT_THAT(ErrorOf([&] { (void)Crop(image, 1, 0, 2, 3); }).second,
              HasSubstr("found 2 x 3 at (1, 0), wanted a part of 2 x 3"));
}

TEST(Image, AugmentIsTheNamedFunctionsInOnePass) {
  for (const int64_t width : {5, 16, 32, 33, 300}) {
    const int64_t height = 8, padding = 4;
    const Tensor chw = RandomImage(DType::kUInt8, {3, height, width}, static_cast<uint64_t>(width));
    const Tensor padded = ResizeWithCropOrPad(ChwToHwc(chw), height + 2 * padding, width + 2 * padding);
    for (int64_t top = 0; top <= 2 * padding; ++top)
      for (int64_t left = 0; left <= 2 * padding; ++left) {
        const Tensor cut = Crop(padded, top, left, height, width);
        const CropAndFlip what{.padding = padding, .top = top, .left = left};
        ASSERT_EQ(Text(AugmentChw(chw, what)), Text(cut)) << width << ": " << top << ", " << left;
        const CropAndFlip mirrored{.padding = padding, .top = top, .left = left, .flip = true};
        ASSERT_EQ(Text(AugmentChw(chw, mirrored)), Text(FlipLeftRight(cut))) << width << ": " << top << ", " << left;
      }
  }
}

TEST(Image, AugmentDrawsLikeTheNamedFunctions) {
  const Tensor chw = RandomImage(DType::kUInt8, {3, 32, 32});
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random one(seed), other(seed);
    const Tensor cut = RandomCrop(ResizeWithCropOrPad(ChwToHwc(chw), 40, 40), 32, 32, one);
    EXPECT_EQ(Text(AugmentChw(chw, CropAndFlip::Draw(4, other))), Text(RandomFlipLeftRight(cut, one)));
  }
}

TEST(Image, DrawsAreUniform) {
  std::array<int, 9> tops{}, lefts{};
  int flips = 0;
  Random random(5);
  constexpr int kDraws = 90000;
  for (int i = 0; i < kDraws; ++i) {
    const auto what = CropAndFlip::Draw(4, random);
    ++tops[static_cast<size_t>(what.top)];
    ++lefts[static_cast<size_t>(what.left)];
    flips += what.flip ? 1 : 0;
  }
  for (const int count : tops) EXPECT_NEAR(count, kDraws / 9, 500);
  for (const int count : lefts) EXPECT_NEAR(count, kDraws / 9, 500);
  EXPECT_NEAR(flips, kDraws / 2, 800);
}

TEST(Cifar10, ParsesARecord) {
  const Tensor chw = RandomImage(DType::kUInt8, {3, 32, 32});
  const Element record(FromBytes(cifar10::EncodeRecord(Bytes(chw), 3)));
  const Element parsed = cifar10::ParseRecord(record);
  EXPECT_EQ(Text(parsed.x()), Text(ChwToHwc(chw)));
  EXPECT_EQ(Text(parsed.y()), Text(Floats({0.f, 0.f, 0.f, 1.f, 0.f, 0.f, 0.f, 0.f, 0.f, 0.f}, {10})));
  Random one(9), other(9);
  const Element augmented = cifar10::ParseAndAugment(record, one);
  EXPECT_EQ(Text(augmented.x()), Text(AugmentChw(chw, CropAndFlip::Draw(4, other))));
}

TEST(Cifar10, RefusesWrongRecords) {
  const auto message = [](const std::string& record) {
    return ErrorOf([&] { (void)cifar10::ParseRecord(Element(FromBytes(record))); }).second;
  };
  const std::string image(3072, 'x');
  EXPECT_THAT(message(cifar10::EncodeRecord(image, 10)), HasSubstr("'label': found 10, wanted 0 to 9"));
  EXPECT_THAT(message(ExampleBuilder().Bytes("image", "x").Int64("label", 1).Serialize()),
              HasSubstr("'image': found 1 bytes, wanted 3072"));
  EXPECT_THAT(message(ExampleBuilder().Bytes("image", image).Serialize()), HasSubstr("'label' is missing"));
}

}  // namespace
}  // namespace headrace::data::image
