// Warm-up: what runs on a loaded version before it serves.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "serving/codec/predict_request.h"
#include "serving/model/servable.h"

namespace headrace::serving {

// A row of zeros through every signature: plans are made and pages touched before the first request.
Status RunZeros(Servable& servable, size_t runner);
// Finds small_rows of every signature, by trying sizes on this thread: as `worker`, which has run already, then alone
// as each of `lanes`.
Status MeasureSmallRuns(Servable& servable, size_t worker, const std::vector<size_t>& lanes);

// A request recorded in a version's assets.extra/tf_serving_warmup_requests.
struct WarmUpRequest {
  size_t signature = 0;
  std::vector<Tensor> inputs;
};

// The requests of that file, a TFRecord of PredictionLogs; none when there is no such file. An error for one that does
// not fit the model, or for more than 1000 of them, as in TensorFlow Serving.
Result<std::vector<WarmUpRequest>> ReadWarmUpRequests(const std::string& version_directory, const Servable& servable);
// One record's requests: a multi-inference has several.
Result<std::vector<WarmUpRequest>> ParseWarmUpRecord(std::string_view record, const Servable& servable);

}  // namespace headrace::serving
