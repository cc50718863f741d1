#include "serving/codec/predict_request.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"

#include "serving/codec/codec_testing.h"
#include "serving/codec/csv.h"
#include "serving/codec/npy.h"

namespace headrace::serving {
namespace {

using ::testing::HasSubstr;
using testing::SmallSignature;
using testing::TwoInputs;

Result<PredictInputs> Parse(const std::string& text, const Signature& signature = SmallSignature(),
                            JsonForm form = JsonForm::kObject) {
  return ParsePredict(JsonBody(text), form, signature);
}

std::vector<float> Values(const Tensor& tensor) {
  const Tensor floats = tensor.Cast(DType::kFloat32);
  return {floats.data<float>(), floats.data<float>() + floats.size()};
}

std::string ErrorOf(const Result<PredictInputs>& result) { return result ? "no error" : result.error().message(); }

TEST(PredictRequest, RowsOfOneInput) {
  const auto inputs = Parse(R"({"signature_name": "x", "instances": [[[1, 2.5, -3e2], [4, 5, 6]],
                               [[7, 8, 9], [10, 11, 12]]], "extra": {"ignored": [1]}})");
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_TRUE(inputs->row_format);
  EXPECT_EQ(inputs->tensors[0].shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(Values(inputs->tensors[0]), (std::vector<float>{1, 2.5, -300, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
}

TEST(PredictRequest, NamedRowsAndColumnsAreTheSame) {
  const auto rows = Parse(R"({"instances": [{"a": [1, 2], "b": [3]}, {"b": 6, "a": [4, 5]}]})", TwoInputs());
  ASSERT_TRUE(rows) << ErrorOf(rows);
  const auto columns = Parse(R"({"inputs": {"b": [[3], 6], "a": [[1, 2], [4, 5]], "other": 0}})", TwoInputs());
  ASSERT_TRUE(columns) << ErrorOf(columns);
  EXPECT_TRUE(rows->row_format);
  EXPECT_FALSE(columns->row_format);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(Values(rows->tensors[i]), Values(columns->tensors[i]));
  EXPECT_EQ(Values(rows->tensors[0]), (std::vector<float>{1, 2, 4, 5}));
  EXPECT_EQ(Values(rows->tensors[1]), (std::vector<float>{3, 6}));
}

TEST(PredictRequest, NotANumberAndInfinity) {
  const auto inputs = Parse(R"({"instances": [[[NaN, Infinity, -Infinity], [Inf, -Inf ,1e999]]]})");
  if (!inputs) {
    // A literal beyond double's range may be refused, the words may not.
    const auto words = Parse(R"({"instances": [[[NaN, Infinity, -Infinity], [Inf, -Inf ,1]]]})");
    ASSERT_TRUE(words) << ErrorOf(words);
    const auto values = Values(words->tensors[0]);
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_EQ(values[1], INFINITY);
    EXPECT_EQ(values[2], -INFINITY);
    EXPECT_EQ(values[3], INFINITY);
    EXPECT_EQ(values[4], -INFINITY);
  }
}

TEST(PredictRequest, BytesInBase64) {
  Signature bytes = SmallSignature(DType::kUInt8);
  const auto inputs = Parse(R"({"instances": [{"b64": "AAECAwQF"}, {"x": {"b64": "BgcICQoL"}}]})", bytes);
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_EQ(inputs->tensors[0].dtype(), DType::kUInt8);
  EXPECT_EQ(Values(inputs->tensors[0]), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [{"b64": "AAEC"}]})", bytes)), HasSubstr("3 bytes in b64, wanted 6"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [{"b64": "A-EC"}]})", bytes)), HasSubstr("no base64"));
}

TEST(PredictRequest, WholeNumbersStayWhole) {
  const Signature ints = SmallSignature(DType::kInt32);
  EXPECT_TRUE(Parse(R"({"instances": [[[1, 2, -3], [4, 5, 2147483647]]]})", ints));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1.0, 2, 3], [4, 5, 6]]]})", ints)),
              HasSubstr("JSON Value: 1.0 Type: Number is not of expected type: int32"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1, 2, 3], [4, 5, 2147483648]]]})", ints)), HasSubstr("2147483648"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[256, 2, 3], [4, 5, 6]]]})", SmallSignature(DType::kUInt8))),
              HasSubstr("256"));
}

TEST(PredictRequest, ErrorsNameWhatWasFound) {
  EXPECT_THAT(ErrorOf(Parse("")), HasSubstr("The document is empty"));
  EXPECT_THAT(ErrorOf(Parse("[1]")), HasSubstr("Is not object"));
  EXPECT_THAT(ErrorOf(Parse("{}")), HasSubstr("Missing 'inputs' or 'instances' key"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [], "inputs": []})")), HasSubstr("not both"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": []})")), HasSubstr("empty list"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": 5})")), HasSubstr("list/array"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1, 2, "3"], [4, 5, 6]]]})")),
              HasSubstr("Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: \"3\" "
                        "Type: String is not of expected type: float"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1, 2, 3], [4, 5]]]})")),
              HasSubstr("Encountered list at unexpected size: 2 at level: 2 expected size: 3"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1, 2, 3, 4], [4, 5, 6]]]})")), HasSubstr("4 or more at level: 2"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1, 2, 3]]]})")), HasSubstr("1 at level: 1 expected size: 2"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [[[1, 2, [3]], [4, 5, 6]]]})")),
              HasSubstr("Type: Array is not of expected type: float"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [{"y": 1}]})")), HasSubstr("'y' is no input of the model; there is: x"));
  EXPECT_THAT(ErrorOf(Parse(R"({"instances": [{"a": [1, 2]}]})", TwoInputs())), HasSubstr("Missing named input: b"));
  EXPECT_THAT(ErrorOf(Parse(R"({"inputs": {"a": [[1, 2]]}})", TwoInputs())),
              HasSubstr("Missing named input: b in 'inputs' object."));
  EXPECT_THAT(ErrorOf(Parse(R"({"inputs": {"a": [[1, 2]], "b": [1, 2]}})", TwoInputs())), HasSubstr("has 2 rows"));
  EXPECT_FALSE(Parse(R"({"instances": [[[1, 2, 3], [4, 5, 6]])"));
}

TEST(PredictRequest, SageMakersForms) {
  EXPECT_EQ(FormOf(R"({"instances" : [1]})"), JsonForm::kObject);
  EXPECT_EQ(FormOf(R"({"inputs":[1]})"), JsonForm::kObject);
  EXPECT_EQ(FormOf("[[1, 2]]"), JsonForm::kInstances);
  EXPECT_EQ(FormOf(" [ [1, 2]]"), JsonForm::kInstances);
  EXPECT_EQ(FormOf("[1, 2]"), JsonForm::kInstance);
  EXPECT_EQ(FormOf("{\"x\": 1}"), JsonForm::kInstance);
  EXPECT_EQ(FormOf("[1]\n[2]"), JsonForm::kLines);
  EXPECT_EQ(FormOf("{\"x\": 1}\r\n {\"x\": 2}"), JsonForm::kLines);
  const char* row = "[[1, 2, 3], [4, 5, 6]]";
  EXPECT_EQ(Parse(std::string("[") + row + "]", SmallSignature(), JsonForm::kInstances)->rows(), 1);
  EXPECT_EQ(Parse(row, SmallSignature(), JsonForm::kInstance)->rows(), 1);
  EXPECT_EQ(Parse(std::string(row) + "\n" + row + "\n\n", SmallSignature(), JsonForm::kLines)->rows(), 2);
  EXPECT_EQ(
      Parse(std::string("{\"x\": ") + row + "}\n{\"x\": " + row + "}", SmallSignature(), JsonForm::kLines)->rows(), 2);
  EXPECT_THAT(ErrorOf(Parse("5", SmallSignature(), JsonForm::kInstance)), HasSubstr("Is not object"));
}

TEST(PredictRequest, SignatureNames) {
  EXPECT_EQ(*SignatureName(JsonBody(R"({"instances": [1], "signature_name": "other"})")), "other");
  EXPECT_EQ(*SignatureName(JsonBody(R"({"instances": [1]})")), "");
  EXPECT_FALSE(SignatureName(JsonBody(R"({"signature_name": 5})")));
}

TEST(PredictRequest, Examples) {
  const auto inputs = ParseExamples(JsonBody(R"({"examples": [{"a": [1.0, 2.0], "b": 3}]})"), TwoInputs());
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_EQ(inputs->rows(), 1);
}

TEST(PredictRequest, ExamplesShareTheContextAndMayBeFlat) {
  const auto shared = ParseExamples(
      JsonBody(R"({"examples": [{"a": [1, 2]}, {"a": [3, 4], "b": 5}], "context": {"b": 7}})"), TwoInputs());
  ASSERT_TRUE(shared) << ErrorOf(shared);
  EXPECT_EQ(Values(shared->tensors[0]), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(Values(shared->tensors[1].Cast(DType::kFloat32)), (std::vector<float>{7, 5}));
  const auto flat =
      ParseExamples(JsonBody(R"({"examples": [{"x": [ 1,2,3,4,5,6]}, {"x": [[1,2,3],[4,5,6]]}]})"), SmallSignature());
  ASSERT_TRUE(flat) << ErrorOf(flat);
  EXPECT_EQ(Values(flat->tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  const auto error = [](const char* text, const Signature& signature) {
    return ErrorOf(ParseExamples(JsonBody(text), signature));
  };
  EXPECT_THAT(error(R"({"examples": [{"x": [1,2,3,4,5]}]})", SmallSignature()),
              HasSubstr("5 at level: 1 expected size: 6"));
  EXPECT_THAT(error(R"({"examples": [{"x": [1,2,3,4,5,6,7]}]})", SmallSignature()), HasSubstr("7 or more"));
  EXPECT_THAT(error(R"({"context": 5, "examples": [{"a": [1, 2]}]})", TwoInputs()),
              HasSubstr("'context' key must be an object"));
  EXPECT_THAT(error(R"({"context": {"c": 5}, "examples": []})", TwoInputs()), HasSubstr("'c' is no input"));
  EXPECT_THAT(error(R"({"context": {"b": 5}, "examples": [{"b": 1}]})", TwoInputs()),
              HasSubstr("Missing named input: a in element 0"));
}

TEST(Csv, LinesAreRows) {
  const Signature flat{"s", "", {{"x", DType::kFloat32, {-1, 3}}}, {}};
  const auto inputs = CsvInputs("1,2.5,-3\r\n4, 5 ,6e1\n\n", flat);
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_EQ(Values(inputs->tensors[0]), (std::vector<float>{1, 2.5, -3, 4, 5, 60}));
  EXPECT_THAT(ErrorOf(CsvInputs("1,2,x", flat)), HasSubstr("field 3 of line 1 is 'x'"));
  EXPECT_THAT(ErrorOf(CsvInputs("1,2,3\n1,2,3,4", flat)), HasSubstr("line 2 has more than 3 fields"));
  EXPECT_THAT(ErrorOf(CsvInputs("1,222", flat)), HasSubstr("line 1 has 2 fields"));
  EXPECT_THAT(ErrorOf(CsvInputs("\n", flat)), HasSubstr("no line"));
}

// A file as numpy.save writes it.
std::string NpyOf(const std::string& descr, bool fortran, const std::string& shape, std::string_view data) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  header.resize(118 - 1, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + std::string(data);
}

// numpy.asarray([[1, 2, 3], [4, 5, 6]]) in every form.
TEST(Npy, EveryFormOfOneArray) {
  const std::vector<double> c = {1, 2, 3, 4, 5, 6}, f = {1, 4, 2, 5, 3, 6};
  const auto bytes = [](const std::vector<double>& values, auto type, bool swap) {
    std::string all;
    for (const double value : values) {
      const auto element = static_cast<decltype(type)>(value);
      std::string one(reinterpret_cast<const char*>(&element), sizeof element);
      if (swap) std::reverse(one.begin(), one.end());
      all += one;
    }
    return all;
  };
  const auto check = [&](const std::string& kind, auto type) {
    for (const bool fortran : {false, true})
      for (const bool swap : {false, true}) {
        const std::string file = NpyOf((sizeof type == 1 ? "|"
                                        : swap           ? ">"
                                                         : "<") +
                                           kind,
                                       fortran, "(2, 3)", bytes(fortran ? f : c, type, swap));
        const auto inputs = NpyInputs(Buffer(file), SmallSignature());
        ASSERT_TRUE(inputs) << kind << ": " << inputs.error().message();
        EXPECT_EQ(Values(inputs->tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6})) << kind << fortran << swap;
      }
  };
  check("f4", float{});
  check("f8", double{});
  check("i1", int8_t{});
  check("u1", uint8_t{});
  check("i2", int16_t{});
  check("u2", uint16_t{});
  check("i4", int32_t{});
  check("u4", uint32_t{});
  check("i8", int64_t{});
  check("u8", uint64_t{});
}

TEST(Npy, HalvesAndLimits) {
  // 1, -2, 65504, the smallest subnormal, infinity, nan: numpy's bytes.
  const std::string halves("\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x7c\x00\x7e", 12);
  const auto tensor = ParseNpy(NpyOf("<f2", false, "(6,)", halves));
  ASSERT_TRUE(tensor);
  const float* values = tensor->data<float>();
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(values[2], 65504.0f);
  EXPECT_EQ(values[3], 0x1p-24f);
  EXPECT_TRUE(std::isinf(values[4]) && std::isnan(values[5]));
  EXPECT_FALSE(ParseNpy(NpyOf("<u8", false, "(1,)", std::string(8, '\xff'))));
  for (const char* descr : {"<c8", "|O1", "<U1", "<f1", "|f4", "!f4", "<i3", "f4", "|V2"})
    EXPECT_FALSE(ParseNpy(NpyOf(descr, false, "(1,)", std::string(8, '\0')))) << descr;
  // Three axes: shape (2, 1, 3).
  const auto three = ParseNpy(NpyOf("|u1", true, "(2, 1, 3)", std::string("\1\4\2\5\3\6", 6)));
  ASSERT_TRUE(three);
  EXPECT_EQ(std::string(static_cast<const char*>(three->raw()), 6), std::string("\1\2\3\4\5\6"));
  EXPECT_EQ(ParseNpy(NpyOf("<f4", true, "(0, 5)", ""))->shape(), (Shape{0, 5}));
}

TEST(Npy, ComesBack) {
  const Tensor tensor = Tensor::FromVector(std::vector<float>{1, 2, 3, 4, 5, 6}, {1, 2, 3});
  const std::string file = WriteNpy(tensor);
  const auto inputs = NpyInputs(Buffer(file), SmallSignature());
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_EQ(inputs->tensors[0].shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(Values(inputs->tensors[0]), Values(tensor));
  // Without the batch it is one row.
  EXPECT_EQ(NpyInputs(Buffer(WriteNpy(tensor.Reshape({2, 3}))), SmallSignature())->rows(), 1);
  EXPECT_THAT(ErrorOf(NpyInputs(Buffer(WriteNpy(tensor.Reshape({3, 2}))), SmallSignature())), HasSubstr("(3, 2)"));
  EXPECT_THAT(ErrorOf(NpyInputs(Buffer(file), TwoInputs())), HasSubstr("2 inputs"));
  EXPECT_THAT(ErrorOf(NpyInputs(Buffer(file.substr(0, file.size() - 1)), SmallSignature())),
              HasSubstr("23 bytes of data"));
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(NpyInputs(Buffer(file.substr(0, size)), SmallSignature())) << size;
}

TEST(Raw, IsAMultipleOfRows) {
  const std::string row(6 * sizeof(float), '\0');
  EXPECT_EQ(RawInputs(Buffer(row + row), SmallSignature())->rows(), 2);
  EXPECT_THAT(ErrorOf(RawInputs(Buffer(row + "x"), SmallSignature())), HasSubstr("25 bytes, wanted a multiple of 24"));
  EXPECT_FALSE(RawInputs(Buffer(""), SmallSignature()));
}

// ---------------------------------------------------------------------------------------------------- strings

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string ExampleOf(float first, int64_t n) {
  return data::ExampleBuilder().FloatList("x", {first, 2.5f}).Int64("n", n).Bytes("image", "abc").Serialize();
}

TEST(PredictRequest, StringsInEveryForm) {
  const std::string a = R"({"b64": ")" + Base64(ExampleOf(1, 3)) + "\"}",
                    b = R"({"b64": ")" + Base64(ExampleOf(4, 5)) + "\"}";
  const Signature signature = testing::ExamplesSignature();
  for (const std::string& body :
       {R"({"instances": [)" + a + ", " + b + "]}",
        R"({"instances": [{"examples": )" + a + R"(}, {"examples": )" + b + "}]}",
        R"({"inputs": [)" + a + ", " + b + "]}", R"({"inputs": {"examples": [)" + a + ", " + b + "]}}"}) {
    const auto inputs = Parse(body, signature);
    ASSERT_TRUE(inputs) << ErrorOf(inputs);
    ASSERT_EQ(inputs->tensors.size(), 3u);
    EXPECT_EQ(inputs->tensors[0].shape(), (Shape{2, 2}));
    EXPECT_EQ(Values(inputs->tensors[0]), (std::vector<float>{1, 2.5, 4, 2.5}));
    EXPECT_EQ(Values(inputs->tensors[1]), (std::vector<float>{3, 5}));
    EXPECT_EQ(inputs->tensors[2].shape(), (Shape{2, 1, 3}));
  }
  EXPECT_EQ(Parse(R"({"inputs": )" + a + "}", signature)->rows(), 1);
  EXPECT_EQ(Parse(R"({"inputs": {"examples": )" + a + "}}", signature)->rows(), 1);
  EXPECT_EQ(Parse(a, signature, JsonForm::kInstance)->rows(), 1);
  EXPECT_EQ(Parse(a + "\n" + b, signature, JsonForm::kLines)->rows(), 2);
}

TEST(PredictRequest, StringsBesideAnOrdinaryInput) {
  const auto inputs =
      Parse(R"({"instances": [{"raw": "abcd", "x": [1, 2]}, {"x": [3, 4], "raw": ["\u0001\u0000\u0000\u0000"]}]})",
            testing::RawSignature());
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_EQ(Values(inputs->tensors[0]), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(inputs->tensors[1].data<int32_t>()[0], 0x64636261);
  EXPECT_EQ(inputs->tensors[1].data<int32_t>()[1], 1);
  const auto error = [](const std::string& body) { return ErrorOf(Parse(body, testing::RawSignature())); };
  EXPECT_THAT(error(R"({"instances": [{"raw": "abcd"}]})"), HasSubstr("Missing named input: x"));
  EXPECT_THAT(error(R"({"instances": [{"raw": ["abcd", "abcd"], "x": [1, 2]}]})"), HasSubstr("2 or more at level: 1"));
  EXPECT_THAT(error(R"({"instances": [{"raw": [], "x": [1, 2]}]})"), HasSubstr("0 at level: 1"));
  EXPECT_THAT(error(R"({"instances": [{"raw": [["abcd"]], "x": [1, 2]}]})"), HasSubstr("not of expected type: string"));
  EXPECT_THAT(error(R"({"inputs": {"raw": ["abcd", "abcd"], "x": [[1, 2]]}})"),
              HasSubstr("'x' has 1 rows, 'raw' has 2"));
  EXPECT_THAT(error(R"({"instances": [{"raw": "abcde", "x": [1, 2]}]})"),
              HasSubstr("input 'raw', row 0: 5 bytes, wanted 4 (int32 of shape (None, 1))"));
  EXPECT_THAT(ErrorOf(ParseExamples(JsonBody(R"({"examples": [{"raw": "abcd"}]})"), testing::RawSignature())),
              HasSubstr("Expected one input Tensor, of strings"));
}

TEST(PredictRequest, ExamplesBecomeStrings) {
  const auto parse = [](const std::string& body) {
    return ParseExamples(JsonBody(body), testing::ExamplesSignature());
  };
  const auto inputs = parse(R"({"examples": [{"x": [1.5, -2e3], "image": "abc"}, {"n": true, "image": {"b64": "AAEC"}}],
                                "context": {"n": 9, "x": [NaN, 1.0]}, "signature_name": "s"})");
  ASSERT_TRUE(inputs) << ErrorOf(inputs);
  EXPECT_EQ(inputs->rows(), 2);
  EXPECT_EQ(inputs->tensors[0].data<float>()[1], -2000);
  EXPECT_TRUE(std::isnan(inputs->tensors[0].data<float>()[2]));
  EXPECT_EQ(Values(inputs->tensors[1]), (std::vector<float>{9, 1}));
  EXPECT_EQ(Values(inputs->tensors[2]), (std::vector<float>{'a', 'b', 'c', 0, 1, 2}));
  const auto error = [&](const std::string& features) {
    return ErrorOf(parse(R"({"examples": [{"image": "abc", "x": [0.5, 1.0]}, {"image": "abc", )" + features + "}]}"));
  };
  EXPECT_THAT(error(R"("x": [1, 2])"), HasSubstr("row 1: tf.Example: feature 'x': found int64, wanted float"));
  EXPECT_THAT(error(R"("x": [1, 2.0])"), HasSubstr("feature 'x': its values are of several kinds"));
  EXPECT_THAT(error(R"("x": [])"), HasSubstr("feature 'x' (data type: float) is required but could not be found"));
  EXPECT_THAT(error(R"("x": null)"), HasSubstr("null is no number"));
  EXPECT_THAT(error(R"("x": [[1.0]])"), HasSubstr("is no number"));
  EXPECT_THAT(error(R"("x": 18446744073709551615)"), HasSubstr("is no int64"));
  EXPECT_THAT(error(R"("x": {"b65": "a"})"), HasSubstr("found an object"));
  EXPECT_THAT(ErrorOf(parse(R"({"examples": []})")), HasSubstr("empty list"));
  EXPECT_THAT(ErrorOf(parse(R"({"examples": [{}], "context": 5})")), HasSubstr("'context' key must be an object."));
}

TEST(PredictRequest, OtherBodiesCarryNoStrings) {
  const Signature signature = testing::ExamplesSignature();
  for (const auto& inputs :
       {NpyInputs(Buffer("x"), signature), RawInputs(Buffer("x"), signature), CsvInputs("1,2", signature)})
    EXPECT_THAT(ErrorOf(inputs), HasSubstr("input 'examples' is strings; send JSON"));
}

}  // namespace
}  // namespace headrace::serving
