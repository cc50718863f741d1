#include "serving/grpc/prediction_service.h"

#include <chrono>
#include <mutex>
#include <set>

#include "savedmodel/proto/saved_model.pb.h"
#include "savedmodel/tensor_proto.h"
#include "serving/codec/classify.h"
#include "serving/codec/proto_request.h"

namespace headrace::serving {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

// One request: counted when it ends, whichever way.
struct PredictionService::Call {
  grpc::ServerUnaryReactor* reactor;
  Metrics* metrics;
  std::string model, method;
  Clock::time_point start = Clock::now(), submitted = start;
  int64_t rows = 0;

  void End(const Status& status) {
    const grpc::Status answer = status ? grpc::Status() : ToGrpc(status.error());
    const bool known = answer.error_code() != grpc::StatusCode::NOT_FOUND;  // others' names are not ours to keep
    metrics->Count(known ? model : "", method, NameOfCode(answer.error_code()), status ? rows : 0, SecondsSince(start),
                   status ? SecondsSince(submitted) : 0, "GRPC");
    reactor->Finish(answer);
  }
};

Result<PredictionService::Target> PredictionService::Find(const tfs::ModelSpec& spec) const {
  if (spec.name().empty()) return Fail(ErrorCode::kInvalidArgument, "Missing ModelSpec: it has no model name");
  HEADRACE_ASSIGN(auto found, context_.models.Find(spec.name(), ChoiceOf(spec)));
  const auto index = found.servable->FindSignature(spec.signature_name());
  if (!index)
    return Fail(ErrorCode::kFailedPrecondition, "Serving signature key \"{}\" not found.",
                spec.signature_name().empty() ? "serving_default" : spec.signature_name().substr(0, 100));
  return Target{std::move(found.servable), found.version, *index};
}

grpc::ServerUnaryReactor* PredictionService::Run(grpc::CallbackServerContext* call, const tfs::ModelSpec& spec,
                                                 const char* method, tfs::ModelSpec* served, const Decode& decode,
                                                 Encode encode) {
  auto* reactor = call->DefaultReactor();
  auto state = std::make_shared<Call>(Call{reactor, &context_.metrics, spec.name(), method});
  const auto begin = [&]() -> Status {
    HEADRACE_ASSIGN(Target target, Find(spec));
    if (state->method != "predict" && options_.check_method_names)
      HEADRACE_TRY(CheckMethodName(target.Of(), state->method));
    HEADRACE_ASSIGN(PredictInputs inputs, decode(target.Of()));
    state->rows = inputs.rows();
    state->submitted = Clock::now();
    auto servable = target.servable;
    const size_t signature = target.signature;
    return context_.batcher.Submit(
        std::move(servable), signature, std::move(inputs.tensors),
        [state, served, target = std::move(target), encode = std::move(encode)](Batcher::Outputs outputs) {
          if (!outputs) return state->End(tl::unexpected<Error>(std::move(outputs.error())));
          served->set_name(state->model);
          served->set_signature_name(target.Of().name);
          served->mutable_version()->set_value(target.version);
          state->End(encode(target, *outputs));
        });
  };
  if (Status begun = begin(); !begun) state->End(begun);
  return reactor;
}

grpc::ServerUnaryReactor* PredictionService::Predict(grpc::CallbackServerContext* call,
                                                     const tfs::PredictRequest* request,
                                                     tfs::PredictResponse* response) {
  // The request lives until the call has ended.
  return Run(
      call, request->model_spec(), "predict", response->mutable_model_spec(),
      [&](const Signature& signature) { return ProtoInputs(*request, signature, options_.max_message_bytes); },
      [request, response](const Target& target, const std::vector<Tensor>& outputs) {
        const std::vector<std::string> filter(request->output_filter().begin(), request->output_filter().end());
        return SetOutputs(target.Of(), outputs, *response, filter);
      });
}

grpc::ServerUnaryReactor* PredictionService::Classify(grpc::CallbackServerContext* call,
                                                      const tfs::ClassificationRequest* request,
                                                      tfs::ClassificationResponse* response) {
  return Run(
      call, request->model_spec(), "classify", response->mutable_model_spec(),
      [&](const Signature& signature) -> Result<PredictInputs> {
        HEADRACE_TRY(ClassesOutput(signature));
        return ExampleInputs(request->input(), signature);
      },
      [response](const Target& target, const std::vector<Tensor>& outputs) -> Status {
        return SetClassifications(target.Of(), outputs, *response->mutable_result());
      });
}

grpc::ServerUnaryReactor* PredictionService::Regress(grpc::CallbackServerContext* call,
                                                     const tfs::RegressionRequest* request,
                                                     tfs::RegressionResponse* response) {
  return Run(
      call, request->model_spec(), "regress", response->mutable_model_spec(),
      [&](const Signature& signature) -> Result<PredictInputs> {
        HEADRACE_TRY(RegressOutput(signature));
        return ExampleInputs(request->input(), signature);
      },
      [response](const Target& target, const std::vector<Tensor>& outputs) -> Status {
        HEADRACE_ASSIGN(const size_t values, RegressOutput(target.Of()));
        SetRegressions(outputs[values], *response->mutable_result());
        return {};
      });
}

// Several signatures on the same examples: the last one that ends answers.
struct PredictionService::Tasks {
  struct Task {
    Target target;
    size_t output = 0;
    bool classify = false;
    PredictInputs inputs;
  };
  std::shared_ptr<Call> call;
  tfs::MultiInferenceResponse* response;
  std::vector<Task> list;
  std::mutex mutex;
  size_t left = 0;
  Status status;

  void Ended(size_t index, const Batcher::Outputs& outputs) {
    const std::lock_guard lock(mutex);
    const Task& task = list[index];
    if (!outputs) {
      if (status) status = tl::unexpected<Error>(outputs.error());
    } else if (task.classify) {
      Status set =
          SetClassifications(task.target.Of(), *outputs,
                             *response->mutable_results(static_cast<int>(index))->mutable_classification_result());
      if (!set && status) status = std::move(set);
    } else {
      SetRegressions((*outputs)[task.output],
                     *response->mutable_results(static_cast<int>(index))->mutable_regression_result());
    }
    if (--left == 0) call->End(status);
  }
};

Status PredictionService::Start(const tfs::MultiInferenceRequest& request, const std::shared_ptr<Tasks>& tasks) {
  std::set<std::string> seen;
  for (const tfs::InferenceTask& proto : request.tasks()) {
    const tfs::ModelSpec& spec = proto.model_spec();
    if (spec.name() != request.tasks(0).model_spec().name())
      return Fail(ErrorCode::kInvalidArgument,
                  "All ModelSpecs in a MultiInferenceRequest must access the same model name");
    if (!seen.insert(spec.signature_name()).second)
      return Fail(ErrorCode::kInvalidArgument, "Duplicate evaluation of signature: {}",
                  spec.signature_name().substr(0, 100));
    Tasks::Task task;
    task.classify = proto.method_name() == "tensorflow/serving/classify";
    if (!task.classify && proto.method_name() != "tensorflow/serving/regress")
      return Fail(ErrorCode::kInvalidArgument, "Unsupported signature method_name: {}",
                  proto.method_name().substr(0, 100));
    HEADRACE_ASSIGN(task.target, Find(spec));
    const Signature& signature = task.target.Of();
    HEADRACE_ASSIGN(task.output, task.classify ? ClassifyOutput(signature) : RegressOutput(signature));
    HEADRACE_ASSIGN(task.inputs, ExampleInputs(request.input(), signature));
    tfs::InferenceResult& result = *tasks->response->add_results();
    result.mutable_model_spec()->set_name(spec.name());
    result.mutable_model_spec()->set_signature_name(signature.name);
    result.mutable_model_spec()->mutable_version()->set_value(task.target.version);
    tasks->list.push_back(std::move(task));
  }
  if (tasks->list.empty()) return Fail(ErrorCode::kInvalidArgument, "Inference request must contain at least one task");
  tasks->left = tasks->list.size();
  tasks->call->rows = tasks->list[0].inputs.rows();
  tasks->call->submitted = Clock::now();
  for (size_t i = 0; i < tasks->list.size(); ++i) {
    Tasks::Task& task = tasks->list[i];
    Status queued = context_.batcher.Submit(task.target.servable, task.target.signature, std::move(task.inputs.tensors),
                                            [tasks, i](Batcher::Outputs outputs) { tasks->Ended(i, outputs); });
    if (!queued) tasks->Ended(i, tl::unexpected<Error>(std::move(queued.error())));
  }
  return {};
}

grpc::ServerUnaryReactor* PredictionService::MultiInference(grpc::CallbackServerContext* call,
                                                            const tfs::MultiInferenceRequest* request,
                                                            tfs::MultiInferenceResponse* response) {
  auto* reactor = call->DefaultReactor();
  auto tasks = std::make_shared<Tasks>();
  const std::string model = request->tasks().empty() ? "" : request->tasks(0).model_spec().name();
  tasks->call = std::make_shared<Call>(Call{reactor, &context_.metrics, model, "multi_inference"});
  tasks->response = response;
  if (Status started = Start(*request, tasks); !started) tasks->call->End(started);
  return reactor;
}

grpc::ServerUnaryReactor* PredictionService::GetModelMetadata(grpc::CallbackServerContext* call,
                                                              const tfs::GetModelMetadataRequest* request,
                                                              tfs::GetModelMetadataResponse* response) {
  auto* reactor = call->DefaultReactor();
  const auto fill = [&]() -> Status {
    const tfs::ModelSpec& spec = request->model_spec();
    if (spec.name().empty()) return Fail(ErrorCode::kInvalidArgument, "Missing ModelSpec: it has no model name");
    if (request->metadata_field().empty())
      return Fail(ErrorCode::kInvalidArgument, "GetModelMetadataRequest must specify at least one metadata_field");
    for (const std::string& field : request->metadata_field())
      if (field != "signature_def")
        return Fail(ErrorCode::kInvalidArgument, "Metadata field {} is not supported", field.substr(0, 100));
    HEADRACE_ASSIGN(const auto found, context_.models.Find(spec.name(), ChoiceOf(spec)));
    response->mutable_model_spec()->set_name(spec.name());
    response->mutable_model_spec()->mutable_version()->set_value(found.version);
    (*response->mutable_metadata())["signature_def"].PackFrom(found.servable->definitions());
    return {};
  };
  const Status filled = fill();
  reactor->Finish(filled ? grpc::Status() : ToGrpc(filled.error()));
  return reactor;
}

}  // namespace headrace::serving
