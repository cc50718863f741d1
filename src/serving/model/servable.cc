#include "serving/model/servable.h"

#include <map>

#include "base/log.h"
#include "keras/inference/inference_model.h"
#include "savedmodel/import/load.h"
#include "serving/model/graph_outputs.h"
#include "serving/model/version_files.h"
#include "serving/proto/inference.pb.h"
#include "serving/tensorflow/library.h"
#include "tensor/backend.h"

namespace headrace::serving {
namespace {

class SavedModelServable final : public Servable {
 public:
  SavedModelServable(savedmodel::ServingGraphs graphs, const LoadServableOptions& options)
      : backend_(tensor::MakeOneDnnBackend()) {
    keras::InferenceOptions inference;
    if (options.bfloat16) inference.dtype = DType::kBFloat16;
    for (auto& [name, definition] : graphs.definitions)
      (*definitions_.mutable_signature_def())[name] = std::move(definition);
    for (savedmodel::LoadedGraph& loaded : graphs.signatures) {
      const auto model = std::make_shared<const keras::InferenceModel>(loaded.graph, backend_, inference);
      std::vector<std::unique_ptr<keras::InferenceRunner>> runners;
      for (size_t i = 0; i < options.runners; ++i) runners.push_back(std::make_unique<keras::InferenceRunner>(model));
      runners_.push_back(std::move(runners));
      savedmodel::Signature& read = loaded.signature;
      signatures_.push_back({std::move(read.name), std::move(read.method_name), std::move(read.inputs),
                             std::move(read.outputs), std::move(loaded.strings)});
      for (savedmodel::GraphOutput& output : loaded.outputs)
        signatures_.back().labels.push_back(std::move(output.labels));
      outputs_.push_back(std::move(loaded.outputs));
    }
  }

  const std::vector<Signature>& signatures() const override { return signatures_; }
  const ::tensorflow::serving::SignatureDefMap& definitions() const override { return definitions_; }

  Result<std::vector<Tensor>> Run(size_t index, const std::vector<Tensor>& inputs, size_t runner) override {
    try {
      std::vector<Tensor> taken;  // the engine takes uint8 and float32
      for (const Tensor& input : inputs)
        taken.push_back(input.dtype() == DType::kUInt8 ? input : input.Cast(DType::kFloat32));
      const std::vector<Tensor> values = runners_[index][runner]->Run(taken);
      std::vector<Tensor> outputs;
      for (size_t i = 0; i < outputs_[index].size(); ++i)
        outputs.push_back(OutputOf(values, outputs_[index][i], signatures_[index].outputs[i]));
      return outputs;
    } catch (const Error& error) {
      return tl::unexpected<Error>(error);
    } catch (const std::exception& error) {
      return Fail(ErrorCode::kInternal, "{}", error.what());
    }
  }

 private:
  std::shared_ptr<const tensor::Backend> backend_;
  std::vector<Signature> signatures_;
  ::tensorflow::serving::SignatureDefMap definitions_;
  std::vector<std::vector<std::unique_ptr<keras::InferenceRunner>>> runners_;  // by signature, by runner
  std::vector<std::vector<savedmodel::GraphOutput>> outputs_;                  // by signature
};

// What our engine refuses with `refusal`. Without TensorFlow that is the answer.
Result<std::shared_ptr<Servable>> LoadInTensorFlow(const std::string& directory, const LoadServableOptions& options,
                                                   const Error& refusal) {
  if (auto library = options.tensorflow->Open(); !library)
    return Fail(refusal.code(), "{} ({})", refusal.message(), library.error().message());
  HEADRACE_TRY(RequireOrdinaryFiles(directory));
  Log(LogLevel::kInfo, "{}: run by TensorFlow, as {}", directory, refusal.message());
  auto servable = LoadTensorFlowServable(*options.tensorflow, directory, options.threads);
  if (!servable) return Fail(refusal.code(), "{}; {}: {}", refusal.message(), directory, servable.error().message());
  return servable;
}

}  // namespace

Result<size_t> Servable::FindSignature(const std::string& name) const {
  const std::string wanted = name.empty() ? "serving_default" : name;
  for (size_t i = 0; i < signatures().size(); ++i)
    if (signatures()[i].name == wanted) return i;
  if (name.empty() && signatures().size() == 1) return size_t{0};
  return Fail(ErrorCode::kInvalidArgument, "Serving signature name: \"{}\" not found in signature def", wanted);
}

Result<std::shared_ptr<Servable>> LoadServable(const std::string& directory, const LoadServableOptions& options) {
  auto loaded = savedmodel::LoadForServing(directory);
  if (!loaded && loaded.error().code() == ErrorCode::kInvalidArgument && options.tensorflow != nullptr)
    return LoadInTensorFlow(directory, options, loaded.error());
  if (!loaded) return tl::unexpected<Error>(std::move(loaded.error()));
  savedmodel::ServingGraphs graphs = std::move(*loaded);
  for (const auto& [name, why] : graphs.refused)
    Log(LogLevel::kWarning, "{}: signature '{}' is not served: {}", directory, name, why);
  try {
    return std::shared_ptr<Servable>(std::make_shared<SavedModelServable>(std::move(graphs), options));
  } catch (const Error& error) {
    return Fail(error.code(), "{}: {}", directory, error.message());
  }
}

}  // namespace headrace::serving
