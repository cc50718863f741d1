#include <atomic>
#include <filesystem>

#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/dataset/collect.h"
#include "data/elements_file.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Range(5), counting how many of its elements were made.
Dataset Counted(std::atomic<int>& made) {
  return Dataset::Range(5).map([&made](Element element) {
    ++made;
    return element;
  });
}

Element WithNoise(const Element& element, Random& random) {
  return Tensor::Scalar(*element.x().data<int64_t>() * 1000 + static_cast<int64_t>(random.Below(1000)));
}

TEST(Cache, ComputesOnce) {
  std::atomic<int> made = 0;
  const auto cached = Counted(made).cache();
  EXPECT_EQ(Collect(cached.take(3)), Iota(3));  // no whole run: it fills nothing
  made = 0;
  EXPECT_EQ(Collect(cached), Iota(5));
  EXPECT_EQ(made, 5);
  EXPECT_EQ(Collect(cached.repeat(3).batch(2).skip(1)).size(), 13u);
  EXPECT_EQ(made, 5);
  EXPECT_EQ(cached.cardinality(), 5);
  EXPECT_EQ(cached.filter([](const Element& e) { return *e.x().data<int64_t>() > 2; }).cache().cardinality(), kUnknown);
}

TEST(Cache, KnowsHowManyThereAreOnceItIsFilled) {
  const auto odd = Dataset::Range(7).filter([](const Element& e) { return *e.x().data<int64_t>() % 2 == 1; }).cache();
  EXPECT_EQ(odd.cardinality(), kUnknown);
  EXPECT_THAT(Collect(odd), ElementsAre(1, 3, 5));
  EXPECT_EQ(odd.cardinality(), 3);
}

// Whichever run fills it, also one that goes on in the middle of training.
TEST(Cache, DoesNotDependOnTheRunThatFillsIt) {
  const auto make = [] { return Dataset::Range(40).map(WithNoise, {.seed = 4}).shuffle(10).cache(); };
  const Numbers first = Collect(make());
  EXPECT_EQ(Collect(make().MakeIterator(7)), first);
  const auto resumed = make();
  auto iterator = resumed.MakeIterator(2);
  iterator.Skip(15);
  EXPECT_EQ(Collect(std::move(iterator)), Numbers(first.begin() + 15, first.end()));
  EXPECT_EQ(Collect(resumed.MakeIterator(3)), first);
  EXPECT_EQ(Collect(resumed), first);
}

TEST(Cache, KeepsRecordsBeyondTheirReader) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  SetContents(directory / "lines", text);
  const auto lines = Dataset::TextLine({directory / "lines"}, {.buffer_bytes = 64}).cache();
  Collect(lines.map([](const Element&) { return Tensor::Scalar(int64_t{0}); }));
  std::filesystem::remove(directory / "lines");
  std::string again;
  for (const Element& line : lines) again += std::string(Bytes(line.x())) + "\n";
  EXPECT_EQ(again, text);
}

TEST(Cache, InAFile) {
  const TemporaryDirectory directory;
  std::atomic<int> made = 0;
  const auto cached = [&] { return Counted(made).cache(directory / "cache"); };
  EXPECT_EQ(Collect(cached().take(4)), Iota(4));
  EXPECT_THAT(std::filesystem::exists(directory / "cache"), false);
  EXPECT_EQ(Collect(cached()), Iota(5));
  made = 0;
  EXPECT_EQ(Collect(cached().repeat(2).skip(3)), (Numbers{3, 4, 0, 1, 2, 3, 4}));
  EXPECT_EQ(made, 0);
  EXPECT_EQ(cached().cardinality(), 5);
}

// Both runs record; the one that stops early must not disturb the other.
TEST(Cache, TwoRunsRecordTheSameFile) {
  const TemporaryDirectory directory;
  std::atomic<int> made = 0;
  const auto cached = [&] { return Counted(made).cache(directory / "cache"); };
  auto first = cached().MakeIterator();
  ASSERT_TRUE(first.Next());
  EXPECT_EQ(Collect(cached().take(1)), Iota(1));
  EXPECT_EQ(Collect(std::move(first)), Iota(4, 1));
  made = 0;
  EXPECT_EQ(Collect(cached()), Iota(5));
  EXPECT_EQ(made, 0);
}

Element Everything() {
  Tensor bytes = FromBytes("abc");
  return Element::Named({{"float", Floats({1.5f, -2.f}, {1, 2})},
                         {"empty", Tensor(DType::kInt32, {0, 3})},
                         {"", Tensor::Scalar(int64_t{-7})},
                         {"bytes", bytes}});
}

TEST(SavedElements, ComeBackAsTheyWere) {
  const TemporaryDirectory directory;
  const auto saved = Dataset::FromElements({Everything(), Element(Tensor::Scalar(2.f)), Element()});
  saved.save(directory / "saved");
  const auto loaded = Dataset::Load(directory / "saved");
  EXPECT_EQ(loaded.cardinality(), 3);
  auto elements = loaded.MakeIterator();
  const auto first = elements.Next();
  EXPECT_EQ((*first)["float"].shape(), (Shape{1, 2}));
  EXPECT_EQ((*first)["float"].data<float>()[1], -2.f);
  EXPECT_EQ((*first)["empty"].shape(), (Shape{0, 3}));
  EXPECT_EQ((*first)["empty"].dtype(), DType::kInt32);
  EXPECT_EQ(*(*first)[2].data<int64_t>(), -7);
  EXPECT_EQ(Bytes((*first)["bytes"]), "abc");
  EXPECT_EQ(elements.Next()->name(0), "");
  EXPECT_EQ(elements.Next()->size(), 0u);
  EXPECT_FALSE(elements.Next());
  EXPECT_EQ(ErrorOf([&] { Dataset::Counter().save(directory / "endless"); }).first, ErrorCode::kInvalidArgument);
}

TEST(SavedElements, DamageIsFound) {
  const TemporaryDirectory directory;
  Dataset::Range(3).save(directory / "whole");
  const std::string whole = Contents(directory / "whole");
  EXPECT_EQ(ErrorOf([&] { Dataset::Load(directory / "missing"); }).first, ErrorCode::kNotFound);
  for (size_t size = 0; size < whole.size(); ++size) {
    SetContents(directory / "cut", std::string_view(whole).substr(0, size));
    EXPECT_EQ(ErrorOf([&] { Collect(Dataset::Load(directory / "cut")); }).first, ErrorCode::kDataLoss) << size;
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    SetContents(directory / "changed", changed);
    EXPECT_EQ(ErrorOf([&] { Collect(Dataset::Load(directory / "changed")); }).first, ErrorCode::kDataLoss) << at;
  }
}

TEST(SavedElements, BytesThatAreNoElement) {
  std::string whole;
  AppendElement(Everything(), whole);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(ParseElement(std::string_view(whole).substr(0, size), "test")) << size;
  EXPECT_FALSE(ParseElement(whole + "x", "test"));
  // One component of float32 [2^62].
  const std::string huge = FromHex(
                               "01000000"
                               "00000000"
                               "07000000") +
                           "float32" +
                           FromHex(
                               "01000000"
                               "0000000000000040");
  EXPECT_THAT(ParseElement(huge, "test").error().message(), HasSubstr("a dimension of 4611686018427387904"));
  // One component of uint8 [2^63 - 1, 2, 0]: no bytes, but more values than can be counted on the way.
  const std::string uncountable = FromHex(
                                      "01000000"
                                      "00000000"
                                      "05000000") +
                                  "uint8" +
                                  FromHex(
                                      "03000000"
                                      "ffffffffffffff7f"
                                      "0200000000000000"
                                      "0000000000000000");
  EXPECT_EQ(ParseElement(uncountable, "test").error().code(), ErrorCode::kDataLoss);
  // Two components, uint8 [0] each, that are both named "x".
  const std::string component = FromHex("01000000") + "x" + FromHex("05000000") + "uint8" +
                                FromHex(
                                    "01000000"
                                    "0000000000000000");
  const auto twins = ParseElement(FromHex("02000000") + component + component, "test");
  EXPECT_EQ(twins.error().code(), ErrorCode::kDataLoss);
  EXPECT_THAT(twins.error().message(), HasSubstr("test: found an element with two components named \"x\""));
}

}  // namespace
}  // namespace headrace::data
