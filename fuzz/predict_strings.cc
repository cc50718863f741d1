// Strings of requests: any bytes, alone or in a JSON body, become tensors of the model's shapes, or an error.
#include <cstddef>
#include <cstdint>
#include <string>

#include "serving/codec/codec_testing.h"
#include "serving/codec/predict_request.h"
#include "serving/codec/string_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  using namespace headrace::serving;
  if (size == 0) return 0;
  static const Signature examples = testing::ExamplesSignature(), raw = testing::RawSignature();
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  StringDecoder decoder(examples, 0);
  if (decoder.Add(text) && decoder.Add(text)) {
    std::vector<Tensor> tensors(3);
    decoder.Finish(tensors);
    if (!testing::AreInputsOf(examples, tensors)) __builtin_trap();
  }
  const Signature& signature = bytes[0] % 2 == 0 ? examples : raw;
  const JsonForm form = static_cast<JsonForm>(bytes[0] / 2 % 4);
  const JsonBody body(text);
  for (const auto& inputs : {ParsePredict(body, form, signature), ParseExamples(body, signature)})
    if (inputs && !testing::AreInputsOf(signature, inputs->tensors)) __builtin_trap();
  return 0;
}
