// Strings of requests: any bytes, alone or in a JSON body, become tensors of the model's shapes, or an error.
#include <cstddef>
#include <cstdint>
#include <string>

#include "serving/codec/predict_request.h"
#include "serving/codec/string_decoder.h"

namespace {

using namespace headrace;
using namespace headrace::serving;
using From = savedmodel::DecodedTensor::Source;

const Signature& Examples() {
  static const Signature signature = [] {
    Signature made{"s", "", {{"examples", DType::kUInt8, {-1}}}, {}};
    made.strings.strings = {true};
    made.strings.tensors = {{0, From::kFloats, "x", DType::kFloat32, {-1, 2}, {}},
                            {0, From::kInt64s, "n", DType::kInt64, {-1}, std::string(8, '\0')},
                            {0, From::kFeatureBytes, "image", DType::kUInt8, {-1, 1, 3}, {}}};
    made.strings.checked = {{0, "image", 1, true}, {0, "note", 2, false}};
    return made;
  }();
  return signature;
}

const Signature& Raw() {
  static const Signature signature = [] {
    Signature made{"s", "", {{"a", DType::kUInt8, {-1, 1}}, {"b", DType::kFloat32, {-1, 1}}}, {}};
    made.strings.strings = {true, false};
    made.strings.tensors = {{1, From::kTensor, "", DType::kFloat32, {-1, 1}, {}},
                            {0, From::kStringBytes, "", DType::kInt32, {-1, 1}, {}}};
    return made;
  }();
  return signature;
}

void Check(const std::vector<Tensor>& tensors, const Signature& signature) {
  const auto wanted = signature.GraphInputs();
  if (tensors.size() != wanted.size() || tensors[0].dim(0) < 1) __builtin_trap();
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].dtype() != wanted[i].dtype || tensors[i].shape() != WithRows(wanted[i].shape, tensors[0].dim(0)))
      __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  StringDecoder decoder(Examples(), 0);
  if (decoder.Add(text) && decoder.Add(text)) {
    std::vector<Tensor> tensors(3);
    decoder.Finish(tensors);
    Check(tensors, Examples());
  }
  const Signature& signature = bytes[0] % 2 == 0 ? Examples() : Raw();
  const JsonForm form = static_cast<JsonForm>(bytes[0] / 2 % 4);
  const JsonBody body(text);
  for (const auto& inputs : {ParsePredict(body, form, signature), ParseExamples(body, signature)})
    if (inputs) Check(inputs->tensors, signature);
  return 0;
}
