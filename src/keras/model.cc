// The handles Model and Sequential: building, compiling and asking. Training is fit.cc's, files are model_files.cc's.
#include "base/result.h"
#include "keras/compile.h"
#include "keras/engine.h"
#include "keras/model_build.h"

namespace headrace::keras {
namespace {

using internal::LayerState;
using internal::ModelState;

// Turns a state into a handle.
class AnyLayer : public Layer {
 public:
  explicit AnyLayer(std::shared_ptr<LayerState> state) : Layer(std::move(state)) {}
};

const ModelState& Built(const ModelState& state) {
  if (state.nodes.empty())
    throw MakeError(ErrorCode::kFailedPrecondition, "{}: found a model without layers, add() some first", state.name);
  return state;
}

}  // namespace

Model::Model(const KerasTensor& input, const KerasTensor& output, ModelOptions options)
    : state_(internal::MakeModelState(options, false)) {
  internal::BuildGraph(*state_, {input.node_}, {output.node_});
}

Sequential::Sequential(ModelOptions options) : Model(internal::MakeModelState(options, true)) {}

Sequential::Sequential(const std::vector<Layer>& layers, ModelOptions options) : Sequential(std::move(options)) {
  for (const Layer& layer : layers) add(layer);
}

void Sequential::add(const Layer& layer) { internal::AppendLayer(*state_, layer.state()); }

void Model::compile(Optimizer optimizer, Loss loss, std::vector<Metric> metrics, CompileOptions options) {
  internal::Compiled compiled =
      internal::MakeCompiled(Built(*state_), std::move(optimizer), std::move(loss), metrics, std::move(options));
  state_->engine.reset();
  state_->compiled.reset();
  state_->compiled.emplace(std::move(compiled));
  state_->PackParameters();
}

std::string Model::summary() const { return internal::Summary(Built(*state_)); }
const std::string& Model::name() const { return state_->name; }
Shape Model::input_shape() const { return Built(*state_).input()->shape; }
Shape Model::output_shape() const { return Built(*state_).output()->shape; }

std::vector<Layer> Model::layers() const {
  std::vector<Layer> layers;
  for (auto& layer : state_->Layers()) layers.push_back(AnyLayer(std::move(layer)));
  return layers;
}

std::vector<std::shared_ptr<Variable>> Model::weights() const { return state_->Weights(); }

Layer Model::get_layer(const std::string& name) const {
  std::string names;
  for (const Layer& layer : layers()) {
    if (layer.name() == name) return layer;
    names += (names.empty() ? "" : ", ") + layer.name();
  }
  throw MakeError(ErrorCode::kNotFound, "{}: no layer named \"{}\"; there are {}", state_->name, name, names);
}

int64_t Model::count_params() const {
  int64_t count = 0;
  for (const auto& weight : weights()) count += weight->value.size();
  return count;
}

Optimizer Model::optimizer() const {
  if (!state_->compiled) throw MakeError(ErrorCode::kFailedPrecondition, "{}: compile() the model first", name());
  return state_->compiled->optimizer;
}

}  // namespace headrace::keras
