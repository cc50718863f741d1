// Requests as protocol buffers, and records of warm-up files: any bytes become tensors of the signature's shapes, or an
// error.
#include <cstddef>
#include <cstdint>

#include "serving/codec/proto_request.h"
#include "serving/model/warmup.h"
#include "serving/proto/inference.pb.h"

namespace {

using namespace headrace;
using namespace headrace::serving;

Signature Strings() {
  using From = savedmodel::DecodedTensor::Source;
  Signature made{"strings", "", {{"examples", DType::kUInt8, {-1}}}, {{"outputs", DType::kFloat32, {-1}}}};
  made.strings.strings = {true};
  made.strings.tensors = {{0, From::kFloats, "x", DType::kFloat32, {-1, 2}, {}},
                          {0, From::kInt64s, "n", DType::kInt64, {-1}, std::string(8, '\0')},
                          {0, From::kFeatureBytes, "image", DType::kUInt8, {-1, 1, 3}, {}}};
  return made;
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
  const auto wanted = signature.GraphInputs();
  if (tensors.size() != wanted.size() || tensors[0].dim(0) < 1) __builtin_trap();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].dtype() != wanted[i].dtype) __builtin_trap();
    if (tensors[i].shape() != WithRows(wanted[i].shape, tensors[0].dim(0))) __builtin_trap();
  }
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
