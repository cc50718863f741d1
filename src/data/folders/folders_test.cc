#include <filesystem>
#include <set>

#include <gmock/gmock.h>

#include "headrace/data.h"

#include "base/file.h"
#include "base/result.h"
#include "base/testing/source_directory.h"
#include "data/numpy_shuffle.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// numpy.random.RandomState(seed).shuffle of 0 to 9.
TEST(NumpyShuffle, OrdersAsNumpy) {
  const auto shuffled = [](uint32_t seed, int count) {
    std::vector<int> items(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) items[static_cast<size_t>(i)] = i;
    NumpyShuffle(seed, items);
    return items;
  };
  EXPECT_THAT(shuffled(0, 10), ElementsAre(2, 8, 4, 9, 1, 6, 7, 3, 0, 5));
  EXPECT_THAT(shuffled(1337, 10), ElementsAre(6, 3, 0, 4, 5, 2, 1, 9, 8, 7));
  EXPECT_THAT(shuffled(5, 1), ElementsAre(0));
}

class Folders : public testing::Test {
 protected:
  void Put(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path(directory_ / name);
    std::filesystem::create_directories(path.parent_path());
    SetContents(path.string(), text);
  }
  std::vector<std::string> Names(const FolderDataset& dataset) const {
    std::vector<std::string> names;
    for (const std::string& file : dataset.file_paths) names.push_back(file.substr(directory_.path().size() + 1));
    return names;
  }
  TemporaryDirectory directory_;
};

TEST_F(Folders, TextsWithTheirClasses) {
  Put("pos/b.txt", "good");
  Put("pos/sub/a.TXT", "better");
  Put("neg/c.txt", "bad one");
  Put("neg/d.csv", "no text");
  Put(".hidden/e.txt", "hidden");
  const auto texts = TextDatasetFromDirectory(directory_.path(), {.shuffle = false});
  EXPECT_THAT(texts.class_names, ElementsAre("neg", "pos"));
  EXPECT_THAT(Names(texts), ElementsAre("neg/c.txt", "pos/b.txt", "pos/sub/a.TXT"));
  const auto batch = texts.MakeIterator().Next();
  EXPECT_EQ(batch->x().shape(), (Shape{3, 7}));
  EXPECT_EQ(Bytes(batch->x()), std::string_view("bad onegood\0\0\0better\0", 21));
  EXPECT_THAT(std::vector<int32_t>(batch->y().data<int32_t>(), batch->y().data<int32_t>() + 3), ElementsAre(0, 1, 1));

  const auto one_hot = TextDatasetFromDirectory(
      directory_.path(),
      {.label_mode = "categorical", .class_names = {"pos"}, .batch_size = 0, .max_length = 3, .shuffle = false});
  const auto first = one_hot.MakeIterator().Next();
  EXPECT_EQ(Bytes(first->x()), "goo");
  EXPECT_EQ(first->y().shape(), Shape{1});
  auto both =
      TextDatasetFromDirectory(directory_.path(), {.label_mode = "categorical", .batch_size = 0, .shuffle = false})
          .MakeIterator();
  both.Skip(1);
  const auto second = both.Next();
  EXPECT_EQ(second->y().dtype(), DType::kFloat32);
  EXPECT_THAT(std::vector<float>(second->y().data<float>(), second->y().data<float>() + 2), ElementsAre(0, 1));
  const auto binary = TextDatasetFromDirectory(directory_.path(), {.label_mode = "binary", .shuffle = false});
  EXPECT_EQ(binary.MakeIterator().Next()->y().shape(), (Shape{3, 1}));
  EXPECT_EQ(TextDatasetFromDirectory(directory_.path(), {.label_mode = ""}).MakeIterator().Next()->size(), 1u);
}

TEST_F(Folders, ALinkToItselfIsNoFolder) {
  Put("a/x.txt", "x");
  std::filesystem::create_symlink("loop", directory_ / "loop");
  EXPECT_THAT(TextDatasetFromDirectory(directory_.path()).class_names, ElementsAre("a"));
}

TEST_F(Folders, SplitsShareNoFile) {
  for (int i = 0; i < 10; ++i) Put("a/" + std::to_string(i) + ".txt", std::to_string(i));
  const auto subset = [&](const std::string& name) {
    return Names(TextDatasetFromDirectory(directory_.path(), {.seed = 1337, .validation_split = 0.35, .subset = name}));
  };
  const auto training = subset("training"), validation = subset("validation");
  EXPECT_EQ(training.size(), 7u);
  EXPECT_EQ(validation.size(), 3u);
  std::set<std::string> all(training.begin(), training.end());
  all.insert(validation.begin(), validation.end());
  EXPECT_EQ(all.size(), 10u);
  EXPECT_THAT(validation, ElementsAre("a/9.txt", "a/8.txt", "a/7.txt"));
}

TEST_F(Folders, SaysWhatDoesNotFit) {
  Put("a/x.txt", "x");
  const auto message = [&](TextFolderOptions options) {
    return ErrorOf([&] { TextDatasetFromDirectory(directory_.path(), options); }).second;
  };
  EXPECT_THAT(message({.label_mode = "many"}), HasSubstr("label_mode: found \"many\""));
  EXPECT_THAT(message({.label_mode = "binary"}), HasSubstr("found 1 classes"));
  EXPECT_THAT(message({.class_names = {"b"}}), HasSubstr("class_names: found \"b\""));
  EXPECT_THAT(message({.validation_split = 0.5, .subset = "training"}), HasSubstr("without a seed"));
  EXPECT_THAT(message({.validation_split = 0.5}), HasSubstr("subset \"\", wanted both or neither"));
  EXPECT_THAT(message({.seed = 1, .validation_split = 0.5, .subset = "both"}), HasSubstr("call it twice"));
  EXPECT_THAT(message({.seed = 1, .validation_split = 0.5, .subset = "validation"}), HasSubstr("found no file for it"));
  EXPECT_EQ(ErrorOf([&] { TextDatasetFromDirectory(directory_ / "none"); }).first, ErrorCode::kNotFound);
  EXPECT_EQ(ErrorOf([&] { ImageDatasetFromDirectory(directory_.path()); }).first, ErrorCode::kNotFound);
}

TEST_F(Folders, ImagesAreResizedAndCut) {
  const std::string jpeg = ValueOrThrow(ReadFile(InSourceDirectory("fuzz/corpus/jpeg/baseline"))).substr(1);  // 17 x 9
  Put("a/x.jpg", jpeg);
  Put("b/y.jpeg", jpeg);
  const auto images = ImageDatasetFromDirectory(directory_.path(), {.image_size = {9, 17}, .shuffle = false});
  const auto batch = images.MakeIterator().Next();
  ASSERT_EQ(batch->x().shape(), (Shape{2, 9, 17, 3}));
  const Tensor pixels = image::DecodeImage(jpeg);
  for (int64_t i = 0; i < pixels.size(); ++i) ASSERT_EQ(batch->x().data<float>()[i], pixels.data<uint8_t>()[i]) << i;
  const auto cut = ImageDatasetFromDirectory(
      directory_.path(),
      {.color_mode = "grayscale", .image_size = {9, 9}, .shuffle = false, .crop_to_aspect_ratio = true});
  const Tensor grey = image::DecodeImage(jpeg, 1), middle = cut.MakeIterator().Next()->x();
  ASSERT_EQ(middle.shape(), (Shape{2, 9, 9, 1}));
  for (int64_t y = 0; y < 9; ++y)
    for (int64_t x = 0; x < 9; ++x) ASSERT_EQ(middle.data<float>()[y * 9 + x], grey.data<uint8_t>()[y * 17 + x + 4]);
  Put("b/z.png", "no image");
  EXPECT_THAT(ErrorOf([&] {
                auto bad = ImageDatasetFromDirectory(directory_.path(), {.shuffle = false}).MakeIterator();
                while (bad.Next()) {
                }
              }).second,
              HasSubstr("z.png: found neither a JPEG nor a PNG image"));
}

}  // namespace
}  // namespace headrace::data
