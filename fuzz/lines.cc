// JSON lines, CSV, configuration files and gzip: any bytes become values or an error.
#include <cstddef>
#include <cstdint>
#include <string>

#include "serving/codec/csv.h"
#include "serving/codec/predict_request.h"
#include "serving/model/model_config.h"
#include "serving/rest/body.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace headrace;
  using namespace headrace::serving;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const Signature signature{"s", "", {{"x", DType::kFloat32, {-1, 2}}}, {}};
  for (const auto& inputs : {ParsePredict(JsonBody(text), JsonForm::kLines, signature), CsvInputs(text, signature)}) {
    if (inputs && inputs->tensors[0].shape() != WithRows({-1, 2}, inputs->rows())) __builtin_trap();
  }
  (void)ParseModelConfigs(text, "fuzz");
  (void)ParseBatchingParameters(text, "fuzz", {});
  if (const auto inflated = Inflate(text, 1 << 16); inflated && inflated->size() > (1 << 16)) __builtin_trap();
  return 0;
}
