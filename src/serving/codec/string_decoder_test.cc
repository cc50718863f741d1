#include "serving/codec/string_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serving/codec/codec_testing.h"

namespace headrace::serving {
namespace {

using data::ExampleBuilder;
using ::testing::HasSubstr;

ExampleBuilder Good() { return ExampleBuilder().FloatList("x", {1, 2}).Bytes("image", "abc"); }

std::string DecodeError(std::string_view bytes) {
  const Signature signature = testing::ExamplesSignature();
  StringDecoder decoder(signature, 0);
  const Status added = decoder.Add(bytes);
  return added ? "no error" : added.error().message();
}

TEST(StringDecoder, FillsTheTensorsOfTheGraph) {
  const Signature signature = testing::ExamplesSignature();
  StringDecoder decoder(signature, 0);
  for (int row = 0; row < 1000; ++row)
    ASSERT_TRUE(decoder.Add(row % 2 == 0 ? Good().Serialize()
                                         : Good().Int64("n", row).BytesList("note", {"", "x"}).Serialize()));
  EXPECT_EQ(decoder.rows(), 1000);
  std::vector<Tensor> tensors(3);
  decoder.Finish(tensors);
  EXPECT_EQ(tensors[0].shape(), (Shape{1000, 2}));
  EXPECT_EQ(tensors[0].data<float>()[1999], 2);
  EXPECT_EQ(tensors[1].shape(), (Shape{1000}));
  EXPECT_EQ(tensors[1].data<int64_t>()[998], 7);  // the default
  EXPECT_EQ(tensors[1].data<int64_t>()[999], 999);
  EXPECT_EQ(tensors[2].shape(), (Shape{1000, 1, 3}));
  EXPECT_EQ(tensors[2].data<uint8_t>()[2999], 'c');
}

TEST(StringDecoder, NamesRowAndFeature) {
  EXPECT_EQ(DecodeError(Good().Serialize()), "no error");
  EXPECT_EQ(DecodeError("\x0a\x05"),
            "input 'examples', row 0: malformed tf.Example: Example; wanted a serialized tf.Example");
  EXPECT_EQ(DecodeError(""),
            "input 'examples', row 0: feature 'image' (data type: string) is required but could not be found: it has "
            "no default; the Example has none");
  EXPECT_THAT(DecodeError(ExampleBuilder().Bytes("image", "abc").Int64("y", 1).Serialize()),
              HasSubstr("feature 'x' (data type: float) is required but could not be found: it has no default; the "
                        "Example has image, y"));
  EXPECT_THAT(DecodeError(Good().FloatList("x", {1}).Serialize()), HasSubstr("'x': found 1 values, wanted 2"));
  EXPECT_THAT(DecodeError(Good().FloatList("x", {}).Serialize()), HasSubstr("'x': found 0 values, wanted 2"));
  EXPECT_THAT(DecodeError(Good().Float("n", 1).Serialize()), HasSubstr("'n': found float, wanted int64"));
  EXPECT_THAT(DecodeError(Good().Bytes("image", "abcd").Serialize()),
              HasSubstr("'image': 4 bytes, wanted 3 (uint8 of shape (None, 1, 3))"));
  EXPECT_THAT(DecodeError(Good().BytesList("image", {"abc", "abc"}).Serialize()),
              HasSubstr("'image': found 2 values, wanted 1"));
  EXPECT_THAT(DecodeError(Good().Bytes("note", "one").Serialize()), HasSubstr("'note': found 1 values, wanted 2"));
}

TEST(StringDecoder, BoundsStringsAndTensors) {
  Signature signature = testing::ExamplesSignature();
  signature.strings.checked.clear();
  signature.strings.tensors = {
      {0, savedmodel::DecodedTensor::Source::kFloats, "x", DType::kFloat32, {-1, 25}, std::string(100, '\0')}};
  StringDecoder decoder(signature, 0, 399);
  for (int row = 0; row < 3; ++row) ASSERT_TRUE(decoder.Add(""));
  const Status more = decoder.Add("");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(more.error().message(), HasSubstr("more than 399 bytes of tensors; send fewer rows at once"));
  StringDecoder strings(signature, 0, 399);
  const std::string other = ExampleBuilder().Bytes("y", std::string(250, 'y')).Serialize();
  ASSERT_TRUE(strings.Add(other));
  EXPECT_THAT(strings.Add(other).error().message(), HasSubstr("more than 399 bytes of strings; send fewer rows"));
}

}  // namespace
}  // namespace headrace::serving
