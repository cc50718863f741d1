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
  internal::BuildGraph(*state_, {input.node()}, {output.node()});
}

Model::Model(const std::vector<KerasTensor>& inputs, const std::vector<KerasTensor>& outputs, ModelOptions options)
    : state_(internal::MakeModelState(options, false)) {
  std::vector<std::shared_ptr<internal::Node>> from, to;
  for (const KerasTensor& input : inputs) from.push_back(input.node());
  for (const KerasTensor& output : outputs) to.push_back(output.node());
  internal::BuildGraph(*state_, std::move(from), std::move(to));
}

Sequential::Sequential(ModelOptions options) : Model(internal::MakeModelState(options, true)) {}

Sequential::Sequential(const std::vector<Layer>& layers, ModelOptions options) : Sequential(std::move(options)) {
  for (const Layer& layer : layers) add(layer);
}

void Sequential::add(const Layer& layer) { internal::AppendLayer(*state_, layer.state()); }

namespace {

void Adopt(ModelState& state, internal::Compiled compiled) {
  state.engine.reset();
  state.compiled.reset();
  state.compiled.emplace(std::move(compiled));
  state.PackParameters();
}

}  // namespace

void Model::compile(Optimizer optimizer, Loss loss, std::vector<Metric> metrics, CompileOptions options) {
  Adopt(*state_,
        internal::MakeCompiled(Built(*state_), std::move(optimizer), std::move(loss), metrics, std::move(options)));
}

void Model::compile(Optimizer optimizer, std::vector<Loss> losses, std::vector<std::vector<Metric>> metrics,
                    CompileOptions options) {
  std::vector<std::optional<Loss>> all(losses.begin(), losses.end());
  Adopt(*state_,
        internal::MakeCompiled(Built(*state_), std::move(optimizer), std::move(all), metrics, std::move(options)));
}

void Model::compile(Optimizer optimizer, ByOutput<Loss> losses, ByOutput<std::vector<Metric>> metrics,
                    CompileOptions options) {
  const ModelState& state = Built(*state_);
  std::vector<std::optional<Loss>> all(state.outputs.size());
  std::vector<std::vector<Metric>> by_output(state.outputs.size());
  for (const auto& [output, loss] : losses) all[internal::OutputNamed(state, "loss", output)] = loss;
  for (const auto& [output, some] : metrics) by_output[internal::OutputNamed(state, "metrics", output)] = some;
  Adopt(*state_, internal::MakeCompiled(state, std::move(optimizer), std::move(all), by_output, std::move(options)));
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
