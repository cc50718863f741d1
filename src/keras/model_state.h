// ModelState: what a Model handle refers to: the layers, what compile() fixed, and the engine that runs them.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "keras/gradient_exchange.h"
#include "keras/graph.h"
#include "keras/layer_state.h"
#include "keras/optimizer_state.h"

namespace headrace::keras::internal {

class Engine;
class Parameters;

// A metric of one of the model's outputs.
struct Column {
  Metric metric;
  std::string name;       // in the logs
  size_t output = 0;      // of the model
  bool weighted = false;  // by the samples' weights
};

struct Compiled {
  Optimizer optimizer;
  std::vector<std::optional<Loss>> losses;  // one for each output of the model
  std::vector<float> loss_weights;
  std::vector<Column> columns;
  CompileOptions options;
  std::vector<VariablePtr> trainable;                    // as the layers said when compile() ran
  std::shared_ptr<GradientExchange> exchange = nullptr;  // made by PackParameters() when the optimizer is distributed
  std::shared_ptr<Parameters> parameters = nullptr;      // made by PackParameters()
};

// What fit() has taken from data sets.
struct DataSeen {
  int64_t epochs = 0;                                // of any data: what shuffles does so in another order
  std::weak_ptr<const data::Dataset::Node> endless;  // the data set of the last call, where it has no end
  int64_t batches = 0;                               // of that one
};

struct ModelState {
  ModelState();
  ~ModelState();

  std::string name;
  bool sequential = false;
  uint64_t seed = 0;
  int64_t most_elements = std::numeric_limits<int64_t>::max();  // of all weights; a file's model may have no more
  std::vector<std::shared_ptr<Node>> nodes;                     // in topological order; nodes[0] is an input
  std::vector<std::shared_ptr<Node>> inputs, outputs;           // of `nodes`, as the model was given them
  std::optional<Compiled> compiled;
  std::unique_ptr<Engine> engine;  // made at the first batch; dropped when the model changes
  // The callbacks of the fit() that runs: Model::save() keeps CallbackStates(callbacks) in the file, and
  // Model::load_weights() puts what it finds there into training_state, for the fit() that resumes.
  std::vector<CallbackPtr> callbacks;
  std::string training_state;
  DataSeen data_seen;  // by the fit() calls so far: the next one, where it does not resume, goes on behind it

  const std::shared_ptr<Node>& input() const { return inputs.front(); }
  const std::shared_ptr<Node>& output() const { return outputs.front(); }
  // Every layer once, in order, without the InputLayers.
  std::vector<std::shared_ptr<LayerState>> Layers() const;
  std::vector<VariablePtr> Weights() const;  // each once, layer by layer, trainable first within a layer
  // Those the optimizer updates, in the order of Weights(); fixed by compile(), until then what the layers say.
  std::vector<VariablePtr> TrainableWeights() const;
  std::vector<VariablePtr> WeightsToTrain() const;  // what the layers say now
  // Its outputs are the model's. node_values, where given: the value of each of `nodes`.
  Graph Lower(std::vector<int>* node_values = nullptr) const;
  // Those it trains together with; null when it trains alone.
  GradientExchange* exchange() const { return compiled ? compiled->exchange.get() : nullptr; }
  // Moves the compiled model's trainable weights into the buffer that the optimizer updates, once. compile() and
  // loading do so, not the first batch: who holds a pointer into a weight's value keeps it while the model trains.
  void PackParameters();
  // The compiled model's optimizer slots exist after this call (zeros until trained). Throws kFailedPrecondition when
  // the optimizer has already trained other variables.
  void EnsureSlots();
};

// Throws kInvalidArgument, naming the ending that works, for a name that promises one of Keras 3's own formats, by
// which Keras 3 picks its reader: .keras or .weights.h5. `what` begins the message.
void RequireHdf5Name(const std::string& what, const std::string& path);

// Keras's legacy HDF5 files (hdf5/): all of Model::save(), save_weights(), load_weights() and LoadModel().
void SaveModel(const ModelState& state, const std::string& path, const std::string& training_state);
void SaveWeights(const ModelState& state, const std::string& path);
// Reads either kind of file into a model of the same architecture; returns the training state kept by SaveModel.
std::string LoadWeights(ModelState& state, const std::string& path, const LoadWeightsOptions& options = {});
std::shared_ptr<ModelState> LoadModelFile(const std::string& path);

// Keras 2's table (summary.cc).
std::string Summary(const ModelState& state);

// The callbacks' states as one text, kept in checkpoints (callbacks/).
std::string CallbackStates(const std::vector<CallbackPtr>& callbacks);
void RestoreCallbackStates(const std::string& text, const std::vector<CallbackPtr>& callbacks);

}  // namespace headrace::keras::internal
