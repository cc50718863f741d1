#include "serving/model/warmup.h"

#include <climits>
#include <filesystem>

#include "headrace/data.h"

#include "serving/codec/classify.h"
#include "serving/codec/proto_request.h"
#include "serving/proto/prediction_log.pb.h"

namespace headrace::serving {
namespace {

constexpr size_t kMaxRecords = 1000;
constexpr size_t kMaxRecordBytes = size_t{256} << 20;

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

}  // namespace

Status RunZeros(Servable& servable, size_t worker) {
  for (size_t i = 0; i < servable.signatures().size(); ++i) {
    std::vector<Tensor> inputs;
    for (const TensorInfo& input : servable.signatures()[i].inputs)
      inputs.push_back(Tensor::Zeros(input.dtype, WithRows(input.shape, 1)));
    HEADRACE_TRY(servable.Run(i, inputs, worker));
  }
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
  size_t number = 0;
  try {
    data::TFRecordReader reader(path, {.compression = data::Compression::kNone, .max_record_bytes = kMaxRecordBytes});
    while (const auto record = reader.Next()) {
      if (++number > kMaxRecords)
        return Fail(ErrorCode::kInvalidArgument,
                    "{}: Number of warmup records exceeds the maximum allowed ({}) by the model", path, kMaxRecords);
      auto parsed = ParseWarmUpRecord(*record, servable);
      if (!parsed) return Fail(parsed.error().code(), "{}: record {}: {}", path, number, parsed.error().message());
      std::move(parsed->begin(), parsed->end(), std::back_inserter(requests));
    }
  } catch (const Error& error) {
    return tl::unexpected<Error>(error);
  }
  return requests;
}

}  // namespace headrace::serving
