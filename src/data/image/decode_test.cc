#include <gmock/gmock.h>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"
#include "base/testing/source_directory.h"
#include "data/test_files.h"

namespace headrace::data::image {
namespace {

using testing::HasSubstr;

std::string Seed(const std::string& name) {
  return ValueOrThrow(ReadFile(InSourceDirectory("fuzz/corpus/jpeg/" + name))).substr(1);  // 17 x 9
}

TEST(DecodeJpeg, Channels) {
  EXPECT_EQ(DecodeJpeg(Seed("baseline")).shape(), (Shape{9, 17, 3}));
  EXPECT_EQ(DecodeJpeg(Seed("progressive"), 1).shape(), (Shape{9, 17, 1}));
  EXPECT_EQ(DecodeJpeg(Seed("grey")).shape(), (Shape{9, 17, 1}));
  const Tensor grey = DecodeJpeg(Seed("grey")), colours = DecodeImage(Seed("grey"), 3);
  for (int64_t i = 0; i < colours.size(); ++i) ASSERT_EQ(colours.data<uint8_t>()[i], grey.data<uint8_t>()[i / 3]);
  EXPECT_EQ(ErrorOf([] { DecodeJpeg(Seed("grey"), 2); }).first, ErrorCode::kInvalidArgument);
}

TEST(DecodeJpeg, DamageIsRefused) {
  EXPECT_THAT(ErrorOf([] { DecodeJpeg("no image"); }).second, HasSubstr("no JPEG image that can be read"));
  for (const char* name : {"baseline", "progressive", "grey"}) {
    const std::string whole = Seed(name);
    for (size_t size = 0; size + 20 < whole.size(); size += 5)
      EXPECT_THROW(DecodeJpeg(std::string_view(whole).substr(0, size)), Error) << name << size;
  }
  EXPECT_EQ(ErrorOf([] { DecodeImage("GIF89a"); }).first, ErrorCode::kInvalidArgument);
}

// A small file could otherwise ask for work without end: each scan goes over all pixels.
TEST(DecodeJpeg, RefusesScansWithoutEnd) {
  const std::string file = Seed("progressive");
  const size_t start = file.rfind("\xff\xda"), end = file.rfind("\xff\xd9");
  ASSERT_LT(start, end);
  const std::string scan = file.substr(start, end - start);
  const auto with_scans = [&](int count) {
    std::string longer = file.substr(0, end);
    for (int i = 0; i < count; ++i) longer += scan;
    return longer + file.substr(end);
  };
  EXPECT_EQ(DecodeJpeg(with_scans(100)).shape(), (Shape{9, 17, 3}));
  const auto [code, message] = ErrorOf([&] { DecodeJpeg(with_scans(600)); });
  EXPECT_EQ(code, ErrorCode::kDataLoss);
  EXPECT_THAT(message, HasSubstr("it has more than 500 scans"));
}

// Memory comes after the header's numbers have been looked at.
TEST(DecodeJpeg, RefusesSizesThatNoFileCanHold) {
  for (const auto& [name, height, width] :
       {std::tuple("baseline", 8000, 8000), std::tuple("progressive", 65500, 65500)}) {
    std::string file = Seed(name);
    for (size_t at = 0; at + 9 < file.size(); ++at) {
      if (file[at] != '\xff' || (file[at + 1] != '\xc0' && file[at + 1] != '\xc2')) continue;
      file[at + 5] = static_cast<char>(height >> 8), file[at + 6] = static_cast<char>(height & 255);
      file[at + 7] = static_cast<char>(width >> 8), file[at + 8] = static_cast<char>(width & 255);
      break;
    }
    EXPECT_EQ(ErrorOf([&] { DecodeJpeg(file); }).first, ErrorCode::kResourceExhausted) << name;
  }
}

TEST(Resize, ShapesAndTypes) {
  const Tensor image = Tensor::FromVector(std::vector<float>{0, 10, 20, 30}, {2, 2, 1});
  const Tensor wide = Resize(image, 2, 4);
  EXPECT_THAT(std::vector<float>(wide.data<float>(), wide.data<float>() + 8),
              testing::ElementsAre(0, 2.5f, 7.5f, 10, 20, 22.5f, 27.5f, 30));
  Tensor bytes(DType::kUInt8, {2, 1, 2, 1});
  for (int i = 0; i < 4; ++i) bytes.data<uint8_t>()[i] = static_cast<uint8_t>(i);
  const Tensor nearest = Resize(bytes, 1, 4, {.method = ResizeMethod::kNearest});
  EXPECT_EQ(nearest.dtype(), DType::kUInt8);
  EXPECT_EQ(nearest.shape(), (Shape{2, 1, 4, 1}));
  EXPECT_EQ(Bytes(nearest), std::string_view("\0\0\1\1\2\2\3\3", 8));
  EXPECT_EQ(Resize(image, 1, 1).dtype(), DType::kFloat32);
  EXPECT_EQ(Resize(Tensor::Zeros(DType::kUInt8, {4, 8, 3}), 10, 4, {.preserve_aspect_ratio = true}).shape(),
            (Shape{2, 4, 3}));
  EXPECT_EQ(ErrorOf([&] { Resize(image, 0, 1); }).first, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf([&] { Resize(Tensor::Scalar(1.f), 1, 1); }).first, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace headrace::data::image
