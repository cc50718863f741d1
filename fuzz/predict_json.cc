// Bodies of predict and classify requests: any bytes become tensors of the signature's shapes, or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "serving/codec/codec_testing.h"
#include "serving/codec/json_response.h"
#include "serving/codec/predict_request.h"
#include "serving/codec/quick_row.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  using namespace headrace::serving;
  if (size == 0) return 0;
  const Signature signatures[] = {
      {"s", "", {{"x", DType::kFloat32, {-1, 2, 2}}}, {}},
      {"s", "", {{"x", DType::kUInt8, {-1, 3}}}, {}},
      {"s", "", {{"a", DType::kFloat32, {-1, 2}}, {"b", DType::kInt64, {-1, 1}}}, {}},
  };
  const Signature& signature = signatures[bytes[0] % 3];
  const JsonForm form = static_cast<JsonForm>(bytes[0] / 4 % 4);
  const JsonBody body(std::string(reinterpret_cast<const char*>(bytes) + 1, size - 1));
  (void)FormOf(body.text());
  const char* at = body.text().data();
  if (float number; internal::TakeNumber(at, number)) {
    const std::string taken(body.text().data(), at);
    const auto nearest = static_cast<float>(std::strtod(taken.c_str(), nullptr));
    if (number != nearest) __builtin_trap();
  }
  if (const auto name = SignatureName(body)) {
    std::string text;
    AppendJsonString(*name, text);
  }
  for (const auto& inputs : {ParsePredict(body, form, signature), ParseExamples(body, signature)}) {
    if (inputs && !testing::AreInputsOf(signature, inputs->tensors)) __builtin_trap();
  }
  return 0;
}
