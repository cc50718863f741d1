#include "serving/model/servable.h"

#include <map>

#include "base/log.h"
#include "keras/inference/inference_model.h"
#include "savedmodel/import/load.h"
#include "tensor/backend.h"

namespace headrace::serving {
namespace {

class SavedModelServable final : public Servable {
 public:
  SavedModelServable(savedmodel::ServingGraphs graphs, const LoadServableOptions& options)
      : backend_(tensor::MakeOneDnnBackend()) {
    keras::InferenceOptions inference;
    if (options.bfloat16) inference.dtype = DType::kBFloat16;
    for (savedmodel::LoadedGraph& loaded : graphs.signatures) {
      const auto model = std::make_shared<const keras::InferenceModel>(loaded.graph, backend_, inference);
      std::vector<std::unique_ptr<keras::InferenceRunner>> runners;
      for (size_t i = 0; i < options.workers; ++i) runners.push_back(std::make_unique<keras::InferenceRunner>(model));
      runners_.push_back(std::move(runners));
      signatures_.push_back(std::move(loaded.signature));
    }
  }

  const std::vector<Signature>& signatures() const override { return signatures_; }

  Result<std::vector<Tensor>> Run(size_t index, const std::vector<Tensor>& inputs, size_t worker) override {
    try {
      return runners_[index][worker]->Run(inputs);
    } catch (const Error& error) {
      return tl::unexpected<Error>(error);
    } catch (const std::exception& error) {
      return Fail(ErrorCode::kInternal, "{}", error.what());
    }
  }

 private:
  std::shared_ptr<const tensor::Backend> backend_;
  std::vector<Signature> signatures_;
  std::vector<std::vector<std::unique_ptr<keras::InferenceRunner>>> runners_;  // by signature, by worker
};

}  // namespace

Result<size_t> Servable::FindSignature(const std::string& name) const {
  const std::string wanted = name.empty() ? "serving_default" : name;
  for (size_t i = 0; i < signatures().size(); ++i)
    if (signatures()[i].name == wanted) return i;
  if (name.empty() && signatures().size() == 1) return size_t{0};
  return Fail(ErrorCode::kInvalidArgument, "Serving signature name: \"{}\" not found in signature def", wanted);
}

Result<std::shared_ptr<Servable>> LoadServable(const std::string& directory, const LoadServableOptions& options) {
  HEADRACE_ASSIGN(auto graphs, savedmodel::LoadForServing(directory));
  for (const auto& [name, why] : graphs.refused)
    Log(LogLevel::kWarning, "{}: signature '{}' is not served: {}", directory, name, why);
  try {
    return std::shared_ptr<Servable>(std::make_shared<SavedModelServable>(std::move(graphs), options));
  } catch (const Error& error) {
    return Fail(error.code(), "{}: {}", directory, error.message());
  }
}

}  // namespace headrace::serving
