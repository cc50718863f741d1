// text/csv as SageMaker's container reads it: a line an instance, numbers between commas.
#pragma once

#include <string_view>

#include "base/result.h"
#include "serving/codec/predict_request.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

// As the only input of `signature`, whose rows are as long as the lines.
Result<PredictInputs> CsvInputs(std::string_view text, const Signature& signature);

}  // namespace headrace::serving
