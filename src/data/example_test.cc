#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/protobuf_wire.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Message(uint32_t number, std::string_view bytes) {
  std::string out;
  wire::AppendBytes(out, number, bytes);
  return out;
}

std::string Entry(std::string_view name, std::string_view feature) {
  return Message(1, Message(1, name) + Message(2, feature));
}

TEST(Example, KnownBytes) {
  const std::string bytes = ExampleBuilder().Int64("label", 7).Bytes("image", "\1\2").Serialize();
  EXPECT_EQ(bytes, FromHex("0a210a0f0a05696d61676512060a040a0201020a0e0a056c6162656c12051a030a0107"));
  const ExampleView view(bytes);
  EXPECT_EQ(view.Bytes("image"), "\1\2");
  EXPECT_EQ(view.Int64("label"), 7);
  EXPECT_THAT(view.names(), ElementsAre("image", "label"));
  EXPECT_TRUE(view.Has("label"));
  EXPECT_FALSE(view.Has("lab"));
  // A view, no copy.
  EXPECT_GE(view.Bytes("image").data(), bytes.data());
  EXPECT_LT(view.Bytes("image").data(), bytes.data() + bytes.size());
}

TEST(Example, RoundTripOfEveryKind) {
  ExampleBuilder builder;
  builder.BytesList("b", {"", "x", std::string_view("\0y", 2)}).Int64List("i", {0, -1, INT64_MIN, INT64_MAX, 300});
  builder.FloatList("f", {0.0f, -1.5f, 1e30f}).Float("one", 2.5f).FloatList("none", {});
  for (int i = 0; i < 20; ++i) builder.Int64("key" + std::to_string(i), i);  // beyond the inline places
  const std::string bytes = builder.Serialize();
  const ExampleView view(bytes);
  EXPECT_EQ(view.size(), 25u);
  EXPECT_THAT(view.BytesList("b"), ElementsAre("", "x", std::string_view("\0y", 2)));
  EXPECT_THAT(view.Int64List("i"), ElementsAre(0, -1, INT64_MIN, INT64_MAX, 300));
  EXPECT_THAT(view.FloatList("f"), ElementsAre(0.0f, -1.5f, 1e30f));
  EXPECT_EQ(view.Float("one"), 2.5f);
  EXPECT_TRUE(view.FloatList("none").empty());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(view.Int64("key" + std::to_string(i)), i);
}

TEST(Example, UnpackedListsAndMixtures) {
  // Int64List { value: 1 value: 2 (unpacked), [3, 4] packed }, FloatList { value: 1.5 unpacked }
  const std::string ints = FromHex("08010802") + Message(1, FromHex("0304"));
  const std::string floats = FromHex("0d0000c03f");
  const std::string bytes = Message(1, Entry("i", Message(3, ints)) + Entry("f", Message(2, floats)));
  const ExampleView view(bytes);
  EXPECT_THAT(view.Int64List("i"), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(view.Float("f"), 1.5f);
}

TEST(Example, TheLastOfEqualKeysAndOfAOneofCounts) {
  const std::string seven = Message(3, Message(1, FromHex("07"))), eight = Message(3, Message(1, FromHex("08")));
  const std::string text = Message(1, Message(1, "t"));
  const std::string bytes = Message(1, Entry("twice", seven) + Entry("kinds", seven + text)) +
                            Message(1, Entry("twice", eight)) +
                            Message(1, Entry("merged", seven + eight) + Entry("back", text + seven + text + eight));
  const ExampleView view(bytes);
  EXPECT_EQ(view.Int64("twice"), 8);
  EXPECT_EQ(view.Bytes("kinds"), "t");
  EXPECT_THAT(view.Int64List("merged"), ElementsAre(7, 8));
  EXPECT_THAT(view.Int64List("back"), ElementsAre(8));
}

TEST(Example, UnknownFieldsAreSteppedOver) {
  const std::string unknown = FromHex(
                                  "4d01020304"
                                  "5105060708090a0b0c"
                                  "4805") +
                              Message(10, "zz");
  const std::string feature = unknown + Message(3, unknown + Message(1, FromHex("07")));
  const std::string bytes = unknown + Message(1, unknown + Message(1, unknown + Message(1, "k") + Message(2, feature)));
  EXPECT_EQ(ExampleView(bytes).Int64("k"), 7);
}

TEST(Example, ErrorsNameTheFeature) {
  const std::string bytes = ExampleBuilder().Int64List("two", {1, 2}).Bytes("text", "x").Serialize();
  const ExampleView view(bytes);
  const auto message = [&](const auto& call) {
    const auto [code, text] = ErrorOf(call);
    EXPECT_EQ(code, ErrorCode::kInvalidArgument);
    return text;
  };
  EXPECT_EQ(message([&] { (void)view.Int64("two"); }), "tf.Example: feature 'two': found 2 values, wanted 1");
  EXPECT_EQ(message([&] { (void)view.Int64("text"); }), "tf.Example: feature 'text': found bytes, wanted int64");
  EXPECT_EQ(message([&] { (void)view.Bytes("image"); }), "tf.Example: feature 'image' is missing; found: text, two");
}

TEST(Example, EveryTruncationIsRefusedOrHarmless) {
  const std::string bytes =
      ExampleBuilder().Int64List("i", {1, 300}).Bytes("b", "abc").FloatList("f", {1, 2}).Serialize();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    if (size == 0)
      EXPECT_EQ(ExampleView(part).size(), 0u);
    else
      EXPECT_EQ(ErrorOf([&] { (void)ExampleView(part); }).first, ErrorCode::kDataLoss) << size;
  }
}

TEST(Example, ValuesIntoTheirPlace) {
  const std::string bytes = ExampleBuilder().FloatList("f", {1, 2, 3}).Int64List("i", {-1, 4}).Serialize() +
                            Message(1, Entry("unpacked", Message(2, std::string("\x0d\0\0\x80?", 5))));
  const ExampleView view(bytes);
  std::array<float, 3> floats{};
  view.Floats("f", floats);
  EXPECT_THAT(floats, ElementsAre(1, 2, 3));
  std::array<int64_t, 2> integers{};
  view.Int64s("i", integers);
  EXPECT_THAT(integers, ElementsAre(-1, 4));
  float one = 0;
  view.Floats("unpacked", {&one, 1});
  EXPECT_EQ(one, 1);
  const auto error = [](const auto& read) -> std::string {
    try {
      read();
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_THAT(error([&] { view.Floats("f", {floats.data(), 2}); }), HasSubstr("'f': found 3 values, wanted 2"));
  EXPECT_THAT(error([&] { view.Int64s("i", {integers.data(), 1}); }), HasSubstr("'i': found 2 values, wanted 1"));
  EXPECT_THAT(error([&] { view.Floats("i", floats); }), HasSubstr("found int64, wanted float"));
}

TEST(Example, AFeatureWithoutAKindHasNoList) {
  const std::string bytes = ExampleBuilder().FloatList("none", {}).Serialize() + Message(1, Entry("nothing", ""));
  const ExampleView view(bytes);
  EXPECT_TRUE(view.Has("nothing"));
  EXPECT_FALSE(view.HasList("nothing"));
  EXPECT_TRUE(view.HasList("none"));
  EXPECT_FALSE(view.HasList("other"));
}

}  // namespace
}  // namespace headrace::data
