#include "apps/evaluation/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include "headrace/error.h"

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "data/image/decode.h"

namespace headrace::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor Image(int64_t height, int64_t width, const std::vector<int>& values) {
  Tensor image(DType::kUInt8, {height, width, 3});
  EXPECT_EQ(static_cast<size_t>(image.size()), values.size());
  std::copy(values.begin(), values.end(), image.data<uint8_t>());
  return image;
}

std::vector<int> Values(const Tensor& image) { return {image.data<uint8_t>(), image.data<uint8_t>() + image.size()}; }

// A PNG of another kind than ours, as libpng writes it from `format`.
std::string WritePng(const TemporaryDirectory& directory, const std::string& name, uint32_t format, uint32_t height,
                     uint32_t width, const void* pixels) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.height = height;
  image.width = width;
  image.format = format;
  const std::string path = directory / (name + ".png");
  EXPECT_NE(png_image_write_to_file(&image, path.c_str(), 0, pixels, 0, nullptr), 0);
  return path;
}

TEST(Images, PngComesBack) {
  Tensor image(DType::kUInt8, {5, 7, 3});
  for (int64_t i = 0; i < image.size(); ++i) image.data<uint8_t>()[i] = static_cast<uint8_t>(37 * i);
  const TemporaryDirectory directory;
  const std::string path = directory / "rgb.png";
  ASSERT_TRUE(WriteFileAtomically(path, EncodePng(image)));
  const Tensor read = ReadPng(path);
  EXPECT_EQ(read.shape(), image.shape());
  EXPECT_EQ(Values(read), Values(image));
}

TEST(Images, GreyAndTransparentBecomeRgb) {
  const TemporaryDirectory directory;
  const uint8_t grey[] = {0, 200};
  EXPECT_THAT(Values(ReadPng(WritePng(directory, "grey", PNG_FORMAT_GRAY, 1, 2, grey))),
              ElementsAre(0, 0, 0, 200, 200, 200));
  const uint8_t rgba[] = {10, 20, 30, 255, 10, 20, 30, 0};
  EXPECT_THAT(Values(ReadPng(WritePng(directory, "rgba", PNG_FORMAT_RGBA, 1, 2, rgba))),
              ElementsAre(10, 20, 30, 10, 20, 30))
      << "as decode_png: the colour under a transparent pixel";
}

// The bytes of a PNG with these fields of IHDR and nothing behind it.
std::string HeaderOf(uint32_t width, uint32_t height, char depth, char colors) {
  std::string ihdr("IHDR");
  for (const uint32_t number : {width, height})
    for (int shift = 24; shift >= 0; shift -= 8) ihdr += static_cast<char>(number >> shift & 0xff);
  ihdr += {depth, colors, 0, 0, 0};
  const auto crc =
      static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(ihdr.data()), static_cast<uInt>(ihdr.size())));
  std::string file = std::string("\x89PNG\r\n\x1a\n\0\0\0\x0d", 12) + ihdr;
  for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(crc >> shift & 0xff);
  return file + std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
}

TEST(Images, DeclaredSizesAreNotBelieved) {
  const auto refusal = [](const std::string& bytes) {
    try {
      data::image::DecodePng(bytes, "bomb.png", 3);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted) << error.message();
      return error.message();
    }
    return std::string("it was read");
  };
  EXPECT_THAT(refusal(HeaderOf(8192, 8192, 16, 6)), HasSubstr("8192 x 8192 pixels are 536870912 bytes, more than"));
  EXPECT_THAT(refusal(HeaderOf(1 << 20, 1 << 20, 8, 2)), HasSubstr("wanted at most 67108864"));
}

TEST(Images, SixteenBitsLoseTheirLowerByte) {
  const TemporaryDirectory directory;
  const uint16_t rgb[] = {0x0102, 0x80ff, 0xffff};
  const std::string path = WritePng(directory, "linear", PNG_FORMAT_LINEAR_RGB, 1, 1, rgb);
  EXPECT_THAT(Values(ReadPng(path)), ElementsAre(1, 0x80, 255));
}

TEST(Images, OtherFilesAreRefused) {
  const TemporaryDirectory directory;
  const std::string path = directory / "photo.jpg";
  ASSERT_TRUE(WriteFileAtomically(path, "\xff\xd8\xff\xe0 JFIF"));
  try {
    ReadPng(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("photo.jpg: no PNG image"));
  }
  const std::string whole = EncodePng(Image(1, 2, {1, 2, 3, 4, 5, 6}));
  ASSERT_TRUE(WriteFileAtomically(path, whole.substr(0, whole.size() - 20)));
  EXPECT_THROW(ReadPng(path), Error);
}

TEST(Images, ShrinkingAveragesAreas) {
  // 2 x 4 to 1 x 2: means of 2 x 2 pixels. Then 3 wide to 2: one and a half pixels each.
  const Tensor image = Image(2, 4, {0, 0, 0, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 12, 12, 12, 0, 0, 0, 0, 0, 0});
  EXPECT_THAT(Values(Resize(image, 1, 2)), ElementsAre(6, 6, 6, 4, 4, 4));
  const Tensor row = Image(1, 3, {0, 0, 0, 30, 30, 30, 90, 90, 90});
  EXPECT_THAT(Values(Resize(row, 1, 2)), ElementsAre(10, 10, 10, 70, 70, 70));
}

TEST(Images, GrowingInterpolates) {
  const Tensor row = Image(1, 2, {0, 0, 0, 100, 100, 100});
  EXPECT_THAT(Values(Resize(row, 1, 4)), ElementsAre(0, 0, 0, 25, 25, 25, 75, 75, 75, 100, 100, 100));
  EXPECT_THAT(Values(Resize(Image(1, 1, {7, 8, 9}), 2, 1)), ElementsAre(7, 8, 9, 7, 8, 9));
}

TEST(Images, EqualSizeIsTheSameImage) {
  const Tensor image = Image(1, 1, {7, 8, 9});
  EXPECT_EQ(Resize(image, 1, 1).raw(), image.raw());
}

}  // namespace
}  // namespace headrace::apps
