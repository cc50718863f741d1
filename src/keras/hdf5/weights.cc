#include "keras/hdf5/weights.h"

#include <cstring>
#include <map>

#include "base/result.h"
#include "keras/console.h"

namespace headrace::keras::internal::hdf5 {
namespace {

std::vector<std::string> RequireTexts(const Group& group, const char* name) {
  auto texts = group.Texts(name);
  if (!texts) throw MakeError(ErrorCode::kDataLoss, "{}: no attribute \"{}\"", group.path(), name);
  return std::move(*texts);
}

// Keras 2's model.layers holds the input of a functional model, but not that of a Sequential.
std::vector<std::shared_ptr<LayerState>> KerasLayers(const ModelState& state) {
  auto layers = state.Layers();
  if (!state.sequential)
    for (size_t i = state.inputs.size(); i-- > 0;) layers.insert(layers.begin(), state.inputs[i]->layer);
  return layers;
}

// The group of one layer that has weights.
struct SavedLayer {
  std::string name;
  Group group;
  std::vector<std::string> weights;
};

// What all names may take, or all datasets declare, beside the file's size; and how many times that if compressed.
constexpr uint64_t kUnstored = uint64_t{64} << 20;
constexpr uint64_t kCompression = 100;

std::vector<SavedLayer> SavedLayers(const Group& group) {
  std::vector<SavedLayer> saved;
  uint64_t bytes = 0;
  for (const std::string& name : RequireTexts(group, "layer_names")) {
    Group layer = group.OpenGroup(name);
    std::vector<std::string> weights = RequireTexts(layer, "weight_names");
    for (const std::string& weight : weights) bytes += sizeof weight + weight.size();
    if (bytes > group.file_bytes() + kUnstored)  // many layers of one group
      throw MakeError(ErrorCode::kDataLoss, "{}: the names of its weights take more than the {} bytes of the file",
                      group.path(), group.file_bytes());
    if (!weights.empty()) saved.push_back({name, std::move(layer), std::move(weights)});
  }
  return saved;
}

std::vector<Tensor> ReadLayer(const SavedLayer& saved, const LayerState& layer) {
  if (saved.weights.size() != layer.weights.size())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} weights for layer {}, wanted {}", saved.group.path(),
                    saved.weights.size(), layer.name, layer.weights.size());
  std::vector<Tensor> values;
  for (size_t i = 0; i < saved.weights.size(); ++i) {
    const Shape shape = saved.group.ShapeOf(saved.weights[i]);
    if (shape != layer.specs[i].shape)
      throw MakeError(ErrorCode::kInvalidArgument, "{}/{}: found shape {} for {}, wanted {}", saved.group.path(),
                      saved.weights[i], shape.ToString(), layer.weights[i]->name, layer.specs[i].shape.ToString());
    values.push_back(saved.group.ReadFloats(saved.weights[i]));
  }
  return values;
}

}  // namespace

void WriteWeights(Group& group, const ModelState& state) {
  const auto layers = KerasLayers(state);
  std::vector<std::string> names;
  for (const auto& layer : layers) names.push_back(layer->name);
  group.SetTexts("layer_names", names);
  for (const auto& layer : layers) {
    Group layer_group = group.CreateGroup(layer->name);
    std::vector<std::string> weights;
    for (const VariablePtr& weight : layer->weights) {
      weights.push_back(weight->name + ":0");
      layer_group.Write(weights.back(), weight->value);
    }
    layer_group.SetTexts("weight_names", weights);
  }
}

int64_t DeclaredElements(const Group& group) {
  int64_t elements = 0;
  uint64_t bytes = 0;
  for (const SavedLayer& layer : SavedLayers(group))
    for (const std::string& name : layer.weights) {
      const StoredDataset stored = layer.group.StoredAs(name);
      bytes += stored.compressed() ? stored.declared / kCompression : stored.declared;
      if (bytes > group.file_bytes() + kUnstored || __builtin_add_overflow(elements, stored.shape.size(), &elements))
        throw MakeError(ErrorCode::kDataLoss,
                        "{}: its datasets up to {}/{} declare far more bytes than the {} of the file: they share what "
                        "is stored",
                        group.path(), layer.group.path(), name, group.file_bytes());
    }
  return elements;
}

namespace {

struct Pair {
  const SavedLayer* saved;
  std::shared_ptr<LayerState> layer;
};

std::vector<Pair> PairsByOrder(const Group& group, const std::vector<SavedLayer>& saved, const ModelState& state) {
  std::vector<Pair> pairs;
  for (auto& layer : state.Layers())
    if (!layer->weights.empty()) pairs.push_back({nullptr, std::move(layer)});
  if (saved.size() != pairs.size())
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found {} layers with weights, wanted {} as in model {}",
                    group.path(), saved.size(), pairs.size(), state.name);
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i].saved = &saved[i];
  return pairs;
}

// Layers without a group of their name keep their weights.
std::vector<Pair> PairsByName(const std::vector<SavedLayer>& saved, const ModelState& state) {
  std::map<std::string, const SavedLayer*> named;
  for (const SavedLayer& layer : saved) named[layer.name] = &layer;
  std::vector<Pair> pairs;
  for (auto& layer : state.Layers())
    if (const auto found = named.find(layer->name); found != named.end() && !layer->weights.empty())
      pairs.push_back({found->second, std::move(layer)});
  return pairs;
}

}  // namespace

void ReadWeights(const Group& group, const ModelState& state, const LoadWeightsOptions& options) {
  const std::vector<SavedLayer> saved = SavedLayers(group);
  const std::vector<Pair> pairs = options.by_name ? PairsByName(saved, state) : PairsByOrder(group, saved, state);
  std::vector<std::vector<Tensor>> values;
  for (const auto& [from, layer] : pairs) {
    try {
      values.push_back(ReadLayer(*from, *layer));
    } catch (const Error& error) {
      if (!options.skip_mismatch || error.code() != ErrorCode::kInvalidArgument) throw;
      Warn("load_weights: layer " + layer->name + " is skipped: " + error.message());
      values.emplace_back();
    }
  }
  for (size_t i = 0; i < pairs.size(); ++i)
    for (size_t j = 0; j < values[i].size(); ++j)
      std::memcpy(pairs[i].layer->weights[j]->value.raw(), values[i][j].raw(), values[i][j].bytes());
}

}  // namespace headrace::keras::internal::hdf5
