// Requests as protocol buffers, and records of warm-up files: any bytes become tensors of the signature's shapes, or an
// error.
#include <cstddef>
#include <cstdint>

#include "serving/codec/codec_testing.h"
#include "serving/codec/proto_request.h"
#include "serving/model/warmup.h"
#include "serving/proto/inference.pb.h"

namespace {

using namespace headrace;
using namespace headrace::serving;

Signature Strings() {
  Signature strings = testing::ExamplesSignature();
  strings.name = "strings";
  strings.outputs = {{"outputs", DType::kFloat32, {-1}}};  // for regress
  return strings;
}

class Model final : public Servable {
 public:
  const std::vector<Signature>& signatures() const override { return signatures_; }
  const ::tensorflow::serving::SignatureDefMap& definitions() const override { return definitions_; }
  Result<std::vector<Tensor>> Run(size_t, const std::vector<Tensor>&, size_t) override { return std::vector<Tensor>(); }

 private:
  std::vector<Signature> signatures_ = {
      {"serving_default", "", {{"x", DType::kFloat32, {-1, 2}}}, {{"scores", DType::kFloat32, {-1, 3}}}},
      Strings(),
      {"two", "", {{"a", DType::kUInt8, {-1, 2}}, {"b", DType::kInt64, {-1}}}, {{"outputs", DType::kFloat32, {-1}}}}};
  ::tensorflow::serving::SignatureDefMap definitions_;
};

void Check(const std::vector<Tensor>& tensors, const Signature& signature) {
  if (!testing::AreInputsOf(signature, tensors)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  Model model;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto requests = ParseWarmUpRecord(text, model))
    for (const WarmUpRequest& request : *requests) Check(request.inputs, model.signatures()[request.signature]);
  tfs::PredictRequest request;
  if (!request.ParseFromArray(bytes, static_cast<int>(size))) return 0;
  for (const Signature& signature : model.signatures())
    if (const auto inputs = ProtoInputs(request, signature, size_t{1} << 20)) Check(inputs->tensors, signature);
  return 0;
}
