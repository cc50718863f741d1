#include "serving/model/warmup.h"

#include <chrono>
#include <climits>
#include <filesystem>

#include "headrace/data.h"

#include "base/file.h"
#include "serving/codec/classify.h"
#include "serving/codec/proto_request.h"
#include "serving/proto/prediction_log.pb.h"
#include "tensor/parallel.h"

namespace headrace::serving {
namespace {

// A team of threads shares work in steps of some ten microseconds each, so a run of less than this gains little; and so
// long may a thread that reads requests do nothing else.
constexpr std::chrono::microseconds kSmallRun{500};
constexpr int64_t kMostSmallRows = 64;
constexpr size_t kMaxRecords = 1000;
constexpr size_t kMaxRecordBytes = size_t{256} << 20;
constexpr size_t kMaxAllBytes = size_t{1} << 30;

Result<WarmUpRequest> ExampleRequest(const tfs::ModelSpec& spec, const tfs::Input& input, bool classify,
                                     const Servable& servable) {
  HEADRACE_ASSIGN(const size_t index, servable.FindSignature(spec.signature_name()));
  const Signature& signature = servable.signatures()[index];
  HEADRACE_TRY(classify ? ClassifyOutput(signature) : RegressOutput(signature));
  HEADRACE_ASSIGN(PredictInputs inputs, ExampleInputs(input, signature));
  return WarmUpRequest{index, std::move(inputs.tensors)};
}

Result<WarmUpRequest> PredictRequestOf(const tfs::PredictRequest& request, const Servable& servable) {
  HEADRACE_ASSIGN(const size_t index, servable.FindSignature(request.model_spec().signature_name()));
  HEADRACE_ASSIGN(PredictInputs inputs, ProtoInputs(request, servable.signatures()[index], kMaxRecordBytes));
  return WarmUpRequest{index, std::move(inputs.tensors)};
}

Result<std::vector<WarmUpRequest>> RequestsOf(const tfs::PredictionLog& log, const Servable& servable) {
  std::vector<WarmUpRequest> requests;
  const auto add = [&](Result<WarmUpRequest> request) -> Status {
    if (!request) return tl::unexpected<Error>(std::move(request.error()));
    requests.push_back(std::move(*request));
    return {};
  };
  if (log.has_predict_log()) {
    HEADRACE_TRY(add(PredictRequestOf(log.predict_log().request(), servable)));
  } else if (log.has_classify_log()) {
    const auto& request = log.classify_log().request();
    HEADRACE_TRY(add(ExampleRequest(request.model_spec(), request.input(), true, servable)));
  } else if (log.has_regress_log()) {
    const auto& request = log.regress_log().request();
    HEADRACE_TRY(add(ExampleRequest(request.model_spec(), request.input(), false, servable)));
  } else if (log.has_multi_inference_log()) {
    const auto& request = log.multi_inference_log().request();
    for (const tfs::InferenceTask& task : request.tasks())
      HEADRACE_TRY(add(ExampleRequest(task.model_spec(), request.input(),
                                      task.method_name() == "tensorflow/serving/classify", servable)));
  } else {
    return Fail(ErrorCode::kInvalidArgument,
                "Unsupported log_type for warmup: wanted predict, classify, regress or multi_inference");
  }
  return requests;
}

std::vector<Tensor> Zeros(const Signature& signature, int64_t rows) {
  std::vector<Tensor> inputs;
  for (const TensorInfo& input : signature.GraphInputs())
    inputs.push_back(Tensor::Zeros(input.dtype, WithRows(input.shape, rows)));
  return inputs;
}

// Whether so many rows take less than kSmallRun at their best. The first run may have to make the plan; another that is
// far too long is enough to know.
Result<bool> IsSmallRun(Servable& servable, size_t signature, int64_t rows, size_t runner) {
  const std::vector<Tensor> inputs = Zeros(servable.signatures()[signature], rows);
  for (int run = 0; run < 4; ++run) {
    const auto start = std::chrono::steady_clock::now();
    HEADRACE_TRY(servable.Run(signature, inputs, runner));
    const auto taken = std::chrono::steady_clock::now() - start;
    if (taken < kSmallRun) return true;
    if (run > 0 && taken > 4 * kSmallRun) break;
  }
  return false;
}

// In powers of two; every lane has run all of them then.
Result<int64_t> LargestSmallRun(Servable& servable, size_t signature, const std::vector<size_t>& lanes) {
  int64_t largest = 0;
  for (int64_t rows = 1; rows <= kMostSmallRows; rows *= 2) {
    HEADRACE_ASSIGN(const bool small, IsSmallRun(servable, signature, rows, lanes[0]));
    if (!small) break;
    for (size_t i = 1; i < lanes.size(); ++i)
      HEADRACE_TRY(servable.Run(signature, Zeros(servable.signatures()[signature], rows), lanes[i]));
    largest = rows;
  }
  return largest;
}

}  // namespace

Status RunZeros(Servable& servable, size_t runner) {
  for (size_t i = 0; i < servable.signatures().size(); ++i)
    HEADRACE_TRY(servable.Run(i, Zeros(servable.signatures()[i], 1), runner));
  return {};
}

Status MeasureSmallRuns(Servable& servable, size_t worker, const std::vector<size_t>& lanes) {
  std::vector<int64_t> small(servable.signatures().size(), 0);
  for (size_t i = 0; i < small.size() && !lanes.empty(); ++i) {
    HEADRACE_ASSIGN(const bool worth_a_try, IsSmallRun(servable, i, 1, worker));
    if (!worth_a_try) continue;  // with a team already too long: no lane need make its plan
    const int threads = tensor::NumThreads();
    tensor::SetNumThreads(1);
    auto rows = LargestSmallRun(servable, i, lanes);
    tensor::SetNumThreads(threads);
    if (!rows) return tl::unexpected<Error>(std::move(rows.error()));
    small[i] = *rows;
  }
  servable.set_small_rows(std::move(small));
  return {};
}

Result<std::vector<WarmUpRequest>> ParseWarmUpRecord(std::string_view record, const Servable& servable) {
  tfs::PredictionLog log;
  if (record.size() > INT_MAX || !log.ParseFromArray(record.data(), static_cast<int>(record.size())))
    return Fail(ErrorCode::kDataLoss, "it is no PredictionLog");
  return RequestsOf(log, servable);
}

Result<std::vector<WarmUpRequest>> ReadWarmUpRequests(const std::string& version_directory, const Servable& servable) {
  const std::string path = version_directory + "/assets.extra/tf_serving_warmup_requests";
  std::vector<WarmUpRequest> requests;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return requests;
  if (const auto file = OpenRegularFile(path); !file) return tl::unexpected<Error>(file.error());
  size_t number = 0, bytes = 0;
  try {
    data::TFRecordReader reader(path, {.compression = data::Compression::kNone, .max_record_bytes = kMaxRecordBytes});
    while (const auto record = reader.Next()) {
      if (++number > kMaxRecords)
        return Fail(ErrorCode::kInvalidArgument,
                    "{}: Number of warmup records exceeds the maximum allowed ({}) by the model", path, kMaxRecords);
      auto parsed = ParseWarmUpRecord(*record, servable);
      if (!parsed) return Fail(parsed.error().code(), "{}: record {}: {}", path, number, parsed.error().message());
      for (const WarmUpRequest& request : *parsed)
        for (const Tensor& input : request.inputs) bytes += input.bytes();
      if (bytes > kMaxAllBytes)  // a short record can describe a large tensor
        return Fail(ErrorCode::kResourceExhausted,
                    "{}: record {}: with it the requests take {} bytes, wanted at most {}", path, number, bytes,
                    kMaxAllBytes);
      std::move(parsed->begin(), parsed->end(), std::back_inserter(requests));
    }
  } catch (const Error& error) {
    return tl::unexpected<Error>(error);
  }
  return requests;
}

}  // namespace headrace::serving
