// headrace/keras.h: Keras in C++. Names, defaults and formulas are Keras's; where its versions differ we follow
// Keras 3 (docs/numerics.md lists the places). Images are channels-last, [n, h, w, c].
//
//   using namespace headrace::keras;
//   Sequential model;
//   model.add(Conv2D(32, {3, 3}, {.padding = "same", .activation = "relu", .input_shape = {32, 32, 3}}));
//   model.add(Flatten());
//   model.add(Dense(10, {.activation = "softmax"}));
//   model.compile(Adam(), "categorical_crossentropy", {"accuracy"});
//   model.fit(train, {.epochs = 10, .steps_per_epoch = 156});
//
// Misuse throws headrace::Error with the layer's name, the shape found and the shape wanted, when the model is built.
// Layers, tensors, models and optimizers are cheap handles: a copy refers to the same object. A model and what it
// refers to is used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/error.h"
#include "headrace/keras/callbacks.h"
#include "headrace/keras/constraints.h"
#include "headrace/keras/custom_layer.h"
#include "headrace/keras/initializers.h"
#include "headrace/keras/layer.h"
#include "headrace/keras/layers.h"
#include "headrace/keras/losses.h"
#include "headrace/keras/metrics.h"
#include "headrace/keras/optimizers.h"
#include "headrace/keras/schedules.h"
#include "headrace/tensor.h"

namespace headrace::data {
class Dataset;
}

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct ModelState;
}  // namespace internal

// ---------------------------------------------------------------------------------------------------- history

// What fit() returns: for each name its values, one an epoch.
struct History {
  std::vector<int> epoch;
  std::vector<std::pair<std::string, std::vector<double>>> history;
  const std::vector<double>& operator[](const std::string& name) const;  // throws kNotFound and lists the names
};

// ------------------------------------------------------------------------------------------------------ models

struct ModelOptions {
  std::string name = "";  // "sequential", "functional" when empty
  int64_t seed = -1;      // of weights and dropout; -1 draws one. Same seed and thread count: same bits.
};

struct CompileOptions {
  std::string policy = "float32";  // or "mixed_bfloat16": bf16 activations, float32 weights, statistics and loss
  // How convolutions are computed: "auto" measures the candidates on this processor (kept in the user's cache
  // directory), "direct" allows plain sums only, or the text of Model::algorithms() to repeat an earlier choice.
  // HEADRACE_CONV_ALGORITHMS sets the default.
  std::string conv_algorithms = "";
  std::vector<float> loss_weights = {};       // one for each output with a loss; none: 1 each
  std::vector<Metric> weighted_metrics = {};  // those that samples' weights weight, too; of a model with one output
};

// What goes with which output of a model, by the name of its layer: {{"price", "mse"}, {"kind", "bce"}}.
template <typename T>
class ByOutput {
 public:
  ByOutput() = default;
  ByOutput(std::initializer_list<std::pair<const std::string, T>> values) : values_(values) {}
  explicit ByOutput(std::map<std::string, T> values) : values_(std::move(values)) {}
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::map<std::string, T> values_;
};

struct FitOptions {
  int epochs = 1;
  int initial_epoch = 0;        // epochs is the final index: {.epochs = 10, .initial_epoch = 3} runs 7
  int64_t initial_step = 0;     // of initial_epoch: so many of its batches are passed over, as trained already
  int64_t steps_per_epoch = 0;  // 0: until the dataset ends
  const data::Dataset* validation_data = nullptr;  // iterated from its start after every epoch
  int64_t validation_steps = 0;
  std::vector<CallbackPtr> callbacks = {};
  int verbose = 1;              // 0 silent, 1 progress bar, 2 one line an epoch
  int64_t batch_size = 32;      // for tensors; a dataset brings its own batches
  bool shuffle = true;          // for tensors: a new order every epoch
  double validation_split = 0;  // for tensors: the last fraction, taken before shuffling
  Tensor sample_weight = {};    // for tensors: [n], of each row's loss; a dataset brings it behind y
  // Of each row's loss, by the class in y: a number, or where the row is largest. Classes not named here have 1.
  std::map<int64_t, float> class_weight = {};
};
struct EvaluateOptions {
  int64_t steps = 0;
  int64_t batch_size = 32;
  int verbose = 1;
  Tensor sample_weight = {};  // as fit()'s
  std::vector<CallbackPtr> callbacks = {};
};
struct LoadWeightsOptions {
  bool by_name = false;        // into the layers of the names in the file; without it, by the layers' order
  bool skip_mismatch = false;  // layers whose weights do not fit stay as they are, with a warning
};
struct PredictOptions {
  int64_t steps = 0;
  int64_t batch_size = 32;
  std::vector<CallbackPtr> callbacks = {};
};

class Model {
 public:
  // The graph between them; every layer in it belongs to the model.
  Model(const KerasTensor& input, const KerasTensor& output, ModelOptions options = {});
  Model(const std::vector<KerasTensor>& inputs, const std::vector<KerasTensor>& outputs, ModelOptions options = {});

  // Fixes loss, optimizer and metrics, and builds the execution plan at the first batch.
  void compile(Optimizer optimizer, Loss loss, std::vector<Metric> metrics = {}, CompileOptions options = {});
  // Of several outputs: one loss for each, or by the name of the output's layer; metrics likewise. An output without a
  // loss is not trained. The logs have "<output>_loss" and "<output>_<metric>".
  void compile(Optimizer optimizer, std::vector<Loss> losses, std::vector<std::vector<Metric>> metrics = {},
               CompileOptions options = {});
  void compile(Optimizer optimizer, ByOutput<Loss> losses, ByOutput<std::vector<Metric>> metrics = {},
               CompileOptions options = {});

  // Datasets yield {x, y} batches, or {x, y, sample_weight}: x uint8 or float32 [n, …], y as the loss wants it. Throws
  // kInvalidArgument for an empty dataset, shapes that do not fit and labels out of range (which are named), before
  // weights change.
  History fit(const data::Dataset& data, FitOptions options = {});
  History fit(const Tensor& x, const Tensor& y, FitOptions options = {});
  // Of several inputs and outputs, in the model's order; a dataset's elements have them one behind the other, or the
  // inputs under the names of their layers.
  History fit(const std::vector<Tensor>& x, const std::vector<Tensor>& y, FitOptions options = {});
  Logs evaluate(const data::Dataset& data, EvaluateOptions options = {});
  Logs evaluate(const Tensor& x, const Tensor& y, EvaluateOptions options = {});
  Logs evaluate(const std::vector<Tensor>& x, const std::vector<Tensor>& y, EvaluateOptions options = {});
  // Scores of all samples, float32 [n, …].
  Tensor predict(const Tensor& x, PredictOptions options = {});
  Tensor predict(const data::Dataset& data, PredictOptions options = {});                  // elements {x} or {x, y}
  std::vector<Tensor> predict(const std::vector<Tensor>& x, PredictOptions options = {});  // one for each output

  // One step on one batch; loss and metrics of that batch alone.
  Logs train_on_batch(const Tensor& x, const Tensor& y);
  Logs test_on_batch(const Tensor& x, const Tensor& y);

  std::string summary() const;  // Keras 2's table, one line a layer
  const std::string& name() const;
  Shape input_shape() const;
  Shape output_shape() const;
  std::vector<Layer> layers() const;
  std::vector<std::shared_ptr<Variable>> weights() const;  // layer by layer, trainable first within a layer
  Layer get_layer(const std::string& name) const;          // throws kNotFound and lists the names
  int64_t count_params() const;
  Optimizer optimizer() const;
  std::string algorithms() const;  // chosen for the convolutions; "" before the first batch

  // Keras's legacy HDF5 layout: architecture, weights, training configuration and optimizer state.
  void save(const std::string& path) const;
  void save_weights(const std::string& path) const;
  // Weights from either file. With optimizer state in the file and a compiled model, that too, unless layers are taken
  // by name or left out: training continues the very same curve.
  void load_weights(const std::string& path, LoadWeightsOptions options = {});
  // Copies of all weights, in the order of weights(); set_weights() takes them back, and throws kInvalidArgument naming
  // the first that does not fit before any has changed.
  std::vector<Tensor> get_weights() const;
  void set_weights(const std::vector<Tensor>& weights);

  // A callback sets it to end fit(): no further batch is trained, the epoch is validated and told to the callbacks.
  bool stop_training = false;

  internal::ModelState& state() const { return *state_; }

 protected:
  explicit Model(std::shared_ptr<internal::ModelState> state) : state_(std::move(state)) {}
  std::shared_ptr<internal::ModelState> state_;
};

// A chain. The first layer says its input_shape.
class Sequential : public Model {
 public:
  explicit Sequential(ModelOptions options = {});
  Sequential(const std::vector<Layer>& layers, ModelOptions options = {});
  void add(const Layer& layer);
};

// The model in a file written by save() or by Keras's own HDF5 export, for the layers above; compiled when the file
// holds a training configuration whose optimizer, loss and metrics are among those above.
Model LoadModel(const std::string& path);

}  // namespace headrace::keras
