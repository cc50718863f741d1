// The handle Model and its files.
#include "base/result.h"
#include "keras/engine.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

class LoadedModel : public Model {
 public:
  explicit LoadedModel(std::shared_ptr<internal::ModelState> state) : Model(std::move(state)) {}
};

void CheckBuilt(const internal::ModelState& state) {
  if (state.nodes.empty())
    throw MakeError(ErrorCode::kFailedPrecondition, "{}: found a model without layers, add() some first", state.name);
}

// Of the fit() that runs, else what a file brought for the next one.
std::string TrainingState(const internal::ModelState& state) {
  return state.callbacks.empty() ? state.training_state : internal::CallbackStates(state.callbacks);
}

}  // namespace

void internal::RequireHdf5Name(const std::string& what, const std::string& path) {
  for (const char* ending : {".weights.h5", ".keras"})
    if (path.ends_with(ending))
      throw MakeError(
          ErrorCode::kInvalidArgument,
          "{}: \"{}\" ends in {}, by which Keras 3 expects a format that is not written here; wanted a name "
          "that ends in .h5 alone, e.g. \"{}.h5\"",
          what, path, ending, path.substr(0, path.size() - std::string(ending).size()));
}

std::string Model::algorithms() const { return state_->engine ? state_->engine->algorithms() : ""; }

void Model::save(const std::string& path) const {
  CheckBuilt(*state_);
  internal::RequireHdf5Name("save", path);
  internal::SaveModel(*state_, path, TrainingState(*state_));
}

void Model::save_weights(const std::string& path) const {
  CheckBuilt(*state_);
  internal::RequireHdf5Name("save_weights", path);
  internal::SaveWeights(*state_, path);
}

void Model::load_weights(const std::string& path, LoadWeightsOptions options) {
  CheckBuilt(*state_);
  state_->training_state = internal::LoadWeights(*state_, path, options);
}

Model LoadModel(const std::string& path) { return LoadedModel(internal::LoadModelFile(path)); }

}  // namespace headrace::keras
