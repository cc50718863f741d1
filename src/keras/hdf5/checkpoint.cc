// Keras's legacy HDF5 files: whole models and weights alone.
//
// Beside Keras's own attributes a model's file keeps, in attributes that Keras does not look at, what continuing the
// very same curve takes: headrace_seed (of dropout), headrace_algorithms (of the convolutions) and
// headrace_training_state (the callbacks').
#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/result.h"
#include "keras/compile.h"
#include "keras/engine.h"
#include "keras/hdf5/file.h"
#include "keras/hdf5/model_config.h"
#include "keras/hdf5/training_config.h"
#include "keras/hdf5/weights.h"

namespace headrace::keras::internal {
namespace {

using hdf5::File;
using hdf5::Group;
using nlohmann::json;

// The version whose layout and configurations these are; loaders ask for its first digit.
constexpr const char* kKerasVersion = "2.15.0";

template <typename Fill>
void WriteAtomically(const std::string& path, const Fill& fill) {
  AtomicFile file = ValueOrThrow(AtomicFile::Create(path));
  {
    File h5 = File::Create(file.temporary_path(), path);
    Group root = h5.Root();
    fill(root);
    h5.Flush();
  }
  ValueOrThrow(file.Commit());
}

void SetVersion(Group& group) {
  group.SetText("keras_version", kKerasVersion);
  group.SetText("backend", "tensorflow");
}

std::string AlgorithmsOf(const ModelState& state) {
  if (state.engine) return state.engine->algorithms();
  return state.compiled ? state.compiled->options.conv_algorithms : "";
}

void SetResumption(Group& root, const ModelState& state, const std::string& training_state) {
  root.SetText("headrace_seed", std::to_string(state.seed));
  if (const std::string algorithms = AlgorithmsOf(state); !algorithms.empty())
    root.SetText("headrace_algorithms", algorithms);
  if (!training_state.empty()) root.SetText("headrace_training_state", training_state);
}

void RestoreResumption(const Group& root, ModelState& state) {
  if (const auto seed = root.Text("headrace_seed")) state.seed = std::strtoull(seed->c_str(), nullptr, 10);
  if (!state.compiled || state.engine) return;
  std::string& wanted = state.compiled->options.conv_algorithms;
  if (wanted.empty() || wanted == "auto") wanted = root.Text("headrace_algorithms").value_or(wanted);
}

// How deep a JSON text nests: what is parsed is printed, compared and copied by functions that call themselves.
constexpr int kMostJsonNesting = 200;

int NestingOf(const std::string& text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '[' || text[i] == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!quoted && (text[i] == ']' || text[i] == '}')) {
      --depth;
    }
  }
  return deepest;
}

void RequireShallow(const Group& root, const char* name, const std::string& text) {
  if (const int nesting = NestingOf(text); nesting > kMostJsonNesting)
    throw MakeError(ErrorCode::kDataLoss, "{}: attribute {} nests {} deep, wanted at most {}", root.path(), name,
                    nesting, kMostJsonNesting);
}

json ParseAttribute(const Group& root, const char* name, const std::string& text) {
  RequireShallow(root, name, text);
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw MakeError(ErrorCode::kDataLoss, "{}: attribute {} is no JSON", root.path(), name);
  return value;
}

// Whether the file's training configuration is of the compiled model's optimizer: another one's state means nothing.
bool SameOptimizer(const Group& root, const ModelState& state) {
  const auto text = root.Text("training_config");
  if (!text) return false;
  return hdf5::IsOfOptimizer(ParseAttribute(root, "training_config", *text), *state.compiled->optimizer.state());
}

// The group that holds the layers, in a model's file and in one of weights alone.
Group WeightsGroup(const Group& root, const std::string& path) {
  if (root.HasGroup("model_weights")) return root.OpenGroup("model_weights");
  if (root.Texts("layer_names")) return root.OpenGroup("/");
  if (root.HasGroup("layers") || root.HasGroup("_layer_checkpoint_dependencies"))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found Keras 3's own .weights.h5 layout, wanted its legacy HDF5 one (model.save(\"x.h5\"))",
                    path);
  throw MakeError(ErrorCode::kDataLoss, "{}: found neither model_weights nor layer_names, wanted a Keras HDF5 file",
                  path);
}

std::string LoadFrom(const File& file, ModelState& state, const std::string& path,
                     const LoadWeightsOptions& options = {}) {
  const Group root = file.Root();
  hdf5::ReadWeights(WeightsGroup(root, path), state, options);
  if (options.by_name || options.skip_mismatch) return "";  // another model's training, perhaps
  if (state.compiled && root.HasGroup("optimizer_weights") && SameOptimizer(root, state))
    hdf5::ReadOptimizer(root, state);
  RestoreResumption(root, state);
  std::string training_state = root.Text("headrace_training_state").value_or("");
  RequireShallow(root, "headrace_training_state", training_state);
  return training_state;
}

void CompileFrom(const Group& root, const json& model_config, ModelState& state) {
  const auto text = root.Text("training_config");
  if (!text) return;
  auto saved = hdf5::TrainingFromConfig(ParseAttribute(root, "training_config", *text));
  if (!saved || !saved->loss || state.outputs.size() != 1) return;
  CompileOptions options{.policy = hdf5::PolicyFromConfig(model_config)};
  state.compiled.emplace(
      MakeCompiled(state, std::move(saved->optimizer), std::move(*saved->loss), saved->metrics, std::move(options)));
}

}  // namespace

void SaveModel(const ModelState& state, const std::string& path, const std::string& training_state) {
  WriteAtomically(path, [&](Group& root) {
    SetVersion(root);
    root.SetText("model_config", hdf5::ModelConfig(state).dump());
    SetResumption(root, state, training_state);
    Group weights = root.CreateGroup("model_weights");
    SetVersion(weights);
    hdf5::WriteWeights(weights, state);
    if (!state.compiled) return;
    root.SetText("training_config", hdf5::TrainingConfig(*state.compiled).dump());
    hdf5::WriteOptimizer(root, *state.compiled);
  });
}

void SaveWeights(const ModelState& state, const std::string& path) {
  WriteAtomically(path, [&](Group& root) {
    SetVersion(root);
    hdf5::WriteWeights(root, state);
  });
}

std::string LoadWeights(ModelState& state, const std::string& path, const LoadWeightsOptions& options) {
  return LoadFrom(File::Open(path), state, path, options);
}

std::shared_ptr<ModelState> LoadModelFile(const std::string& path) {
  const File file = File::Open(path);
  const Group root = file.Root();
  const auto text = root.Text("model_config");
  if (!text)
    throw MakeError(ErrorCode::kDataLoss, "{}: no attribute model_config: found a file without a model's architecture",
                    path);
  const json config = ParseAttribute(root, "model_config", *text);
  const int64_t elements = hdf5::DeclaredElements(WeightsGroup(root, path));
  std::shared_ptr<ModelState> state;
  try {
    state = hdf5::ModelFromConfig(config, elements);
  } catch (const Error& error) {
    throw Error(error.code(), path + ": " + error.message());
  }
  state->most_elements = std::numeric_limits<int64_t>::max();  // the caller may add layers
  CompileFrom(root, config, *state);
  state->training_state = LoadFrom(file, *state, path);
  state->PackParameters();
  return state;
}

}  // namespace headrace::keras::internal
