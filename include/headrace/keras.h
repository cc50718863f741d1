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

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "headrace/error.h"
#include "headrace/tensor.h"

namespace headrace::data {
class Dataset;
}

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
class LayerState;
struct LossState;
struct MetricState;
struct Node;
struct OptimizerState;
struct ModelState;
}  // namespace internal

// ---------------------------------------------------------------------------------------------------- weights

// A weight. `value` is float32 and shares its bytes with the training engine: reading it after a step sees the step,
// writing it through its data pointer takes effect at the next one.
struct Variable {
  std::string name;  // "conv2d/kernel"
  bool trainable = true;
  Tensor value;
};

// ----------------------------------------------------------------------------------------------------- layers

// The symbolic output of a layer, for the functional API. shape()[0] is -1, the batch.
class KerasTensor {
 public:
  const Shape& shape() const;

 private:
  friend class Layer;
  friend class Model;
  friend class Sequential;
  friend KerasTensor Input(Shape, std::string);
  explicit KerasTensor(std::shared_ptr<internal::Node> node) : node_(std::move(node)) {}
  std::shared_ptr<internal::Node> node_;
};

// shape: of one sample, without the batch, e.g. {32, 32, 3}.
KerasTensor Input(Shape shape, std::string name = "");

class Layer {
 public:
  // Calls the layer: creates its weights at the first call, checks shapes, returns the symbolic output.
  KerasTensor operator()(const KerasTensor& input) const;
  KerasTensor operator()(const std::vector<KerasTensor>& inputs) const;

  const std::string& name() const;                         // given, or "conv2d", "conv2d_1", … in a model's order
  std::string class_name() const;                          // "Conv2D"
  std::vector<std::shared_ptr<Variable>> weights() const;  // trainable ones first; empty before the first call
  bool trainable() const;
  void set_trainable(bool trainable);  // takes effect at the next compile()

  const std::shared_ptr<internal::LayerState>& state() const { return state_; }

 protected:
  explicit Layer(std::shared_ptr<internal::LayerState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<internal::LayerState> state_;
};

// What is added to the loss to keep weights or activities small: l1 * sum |w| + l2 * sum w^2. Of activities: of each
// call's output, divided by the number of rows. Weights that are not trained add nothing.
class Regularizer {
 public:
  Regularizer() = default;        // none
  Regularizer(const char* name);  // "l1", "l2", "l1_l2", factors 0.01
  Regularizer(const std::string& name) : Regularizer(name.c_str()) {}
  float l1() const { return l1_; }
  float l2() const { return l2_; }
  explicit operator bool() const { return l1_ != 0 || l2_ != 0; }

 protected:
  Regularizer(float l1, float l2);

 private:
  float l1_ = 0, l2_ = 0;
};
class L1 : public Regularizer {
 public:
  explicit L1(float l1 = 0.01f) : Regularizer(l1, 0) {}
};
class L2 : public Regularizer {
 public:
  explicit L2(float l2 = 0.01f) : Regularizer(0, l2) {}
};
class L1L2 : public Regularizer {
 public:
  explicit L1L2(float l1 = 0, float l2 = 0) : Regularizer(l1, l2) {}
};

using Size2D = std::array<int64_t, 2>;  // {height, width}

struct Conv2DOptions {
  Size2D strides = {1, 1};
  std::string padding = "valid";  // or "same"
  Size2D dilation_rate = {1, 1};
  std::string activation = "linear";
  bool use_bias = true;
  std::string kernel_initializer = "glorot_uniform";
  std::string bias_initializer = "zeros";
  Regularizer kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  std::string name = "";
  Shape input_shape = {};  // first layer of a Sequential only
};
// Cross-correlation. kernel [kh, kw, c, filters], bias [filters]; [n, h, w, c] -> [n, h', w', filters].
class Conv2D : public Layer {
 public:
  Conv2D(int64_t filters, Size2D kernel_size, Conv2DOptions options = {});
};

struct DenseOptions {
  std::string activation = "linear";
  bool use_bias = true;
  std::string kernel_initializer = "glorot_uniform";
  std::string bias_initializer = "zeros";
  Regularizer kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  std::string name = "";
  Shape input_shape = {};
};
// x * kernel + bias over the last axis; kernel [in, units]. [n, …, in] -> [n, …, units].
class Dense : public Layer {
 public:
  explicit Dense(int64_t units, DenseOptions options = {});
};

struct BatchNormalizationOptions {
  float momentum = 0.99f;
  float epsilon = 1e-3f;
  bool synchronized = false;  // the batch is that of all ranks together (headrace/horovod.h)
  std::string name = "";
  Shape input_shape = {};
};
// (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last axis. Training uses the batch's mean and biased
// variance and moves moving = moving * momentum + batch * (1 - momentum) (biased variance, as Keras 3); inference uses
// the moving ones. A layer that is not trainable always runs in inference mode.
class BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(BatchNormalizationOptions options = {});
};

struct LayerOptions {
  std::string name = "";
  Shape input_shape = {};
};
// "linear", "relu", "sigmoid", "tanh", "elu" (alpha 1), "gelu" (exact), "swish", "softmax" (last axis).
class Activation : public Layer {
 public:
  explicit Activation(std::string activation, LayerOptions options = {});
};
// Training: an element is dropped with probability `rate`, the others are divided by 1 - rate. Inference: identity.
class Dropout : public Layer {
 public:
  explicit Dropout(float rate, LayerOptions options = {});
};
struct MaxPooling2DOptions {
  Size2D strides = {0, 0};  // {0, 0}: the pool size
  std::string padding = "valid";
  std::string name = "";
  Shape input_shape = {};
};
class MaxPooling2D : public Layer {
 public:
  explicit MaxPooling2D(Size2D pool_size = {2, 2}, MaxPooling2DOptions options = {});
};
class GlobalAveragePooling2D : public Layer {  // [n, h, w, c] -> [n, c]
 public:
  explicit GlobalAveragePooling2D(LayerOptions options = {});
};
class Flatten : public Layer {  // row-major: index (h * W + w) * C + c
 public:
  explicit Flatten(LayerOptions options = {});
};
class Add : public Layer {  // element-wise sum of two or more inputs of equal shape
 public:
  explicit Add(LayerOptions options = {});
};
// The other merges of two or more inputs: element by element, dimensions of 1 repeat.
class Subtract : public Layer {  // of two
 public:
  explicit Subtract(LayerOptions options = {});
};
class Multiply : public Layer {
 public:
  explicit Multiply(LayerOptions options = {});
};
class Average : public Layer {
 public:
  explicit Average(LayerOptions options = {});
};
class Maximum : public Layer {
 public:
  explicit Maximum(LayerOptions options = {});
};
class Minimum : public Layer {
 public:
  explicit Minimum(LayerOptions options = {});
};
struct ConcatenateOptions {
  int64_t axis = -1;
  std::string name = "";
};
class Concatenate : public Layer {  // side by side; equal shapes but along the axis
 public:
  explicit Concatenate(ConcatenateOptions options = {});
};
// {{top, bottom}, {left, right}}
class ZeroPadding2D : public Layer {
 public:
  explicit ZeroPadding2D(std::array<Size2D, 2> padding = {{{1, 1}, {1, 1}}}, LayerOptions options = {});
};

// ----------------------------------------------------------------------------------------------------- losses

// What training makes small: a number for each row of a batch (or for each of its places), reduced to one. Reductions:
// "sum_over_batch_size" (the mean of all numbers; "mean" says the same), "sum", "mean_with_sample_weight" (divided by
// the sum of the weights). Targets have the shape of the predictions, any rank; [n] goes with [n, 1]. Where the model
// ends in the softmax or sigmoid that a crossentropy belongs to, its logits are used and nothing is clipped, as in
// Keras 3.
class Loss {
 public:
  // Keras's names, "mean_squared_error", and short names, "mse", with their defaults.
  Loss(const char* name);
  Loss(const std::string& name) : Loss(name.c_str()) {}
  const std::string& name() const;

  const std::shared_ptr<const internal::LossState>& state() const { return state_; }

 protected:
  explicit Loss(std::shared_ptr<const internal::LossState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const internal::LossState> state_;
};
struct LossOptions {
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class MeanSquaredError : public Loss {
 public:
  explicit MeanSquaredError(LossOptions options = {});
};
class MeanAbsoluteError : public Loss {
 public:
  explicit MeanAbsoluteError(LossOptions options = {});
};
class MeanAbsolutePercentageError : public Loss {
 public:
  explicit MeanAbsolutePercentageError(LossOptions options = {});
};
class MeanSquaredLogarithmicError : public Loss {
 public:
  explicit MeanSquaredLogarithmicError(LossOptions options = {});
};
class LogCosh : public Loss {
 public:
  explicit LogCosh(LossOptions options = {});
};
class Hinge : public Loss {  // this and SquaredHinge take labels of 0 and 1 as -1 and 1
 public:
  explicit Hinge(LossOptions options = {});
};
class SquaredHinge : public Loss {
 public:
  explicit SquaredHinge(LossOptions options = {});
};
class CategoricalHinge : public Loss {
 public:
  explicit CategoricalHinge(LossOptions options = {});
};
class KLDivergence : public Loss {
 public:
  explicit KLDivergence(LossOptions options = {});
};
class Poisson : public Loss {
 public:
  explicit Poisson(LossOptions options = {});
};
struct HuberOptions {
  float delta = 1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class Huber : public Loss {
 public:
  explicit Huber(HuberOptions options = {});
};
struct CosineSimilarityOptions {
  int64_t axis = -1;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CosineSimilarity : public Loss {  // -1 for equal directions
 public:
  explicit CosineSimilarity(CosineSimilarityOptions options = {});
};
struct BinaryCrossentropyOptions {
  bool from_logits = false;
  float label_smoothing = 0;  // a: targets become t * (1 - a) + a / 2
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class BinaryCrossentropy : public Loss {
 public:
  explicit BinaryCrossentropy(BinaryCrossentropyOptions options = {});
};
struct BinaryFocalCrossentropyOptions {
  bool apply_class_balancing = false;
  float alpha = 0.25f, gamma = 2;
  bool from_logits = false;
  float label_smoothing = 0;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class BinaryFocalCrossentropy : public Loss {
 public:
  explicit BinaryFocalCrossentropy(BinaryFocalCrossentropyOptions options = {});
};
struct CategoricalCrossentropyOptions {
  bool from_logits = false;
  float label_smoothing = 0;  // a: targets become t * (1 - a) + a / classes
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CategoricalCrossentropy : public Loss {  // targets: rows of probabilities, [..., classes]
 public:
  explicit CategoricalCrossentropy(CategoricalCrossentropyOptions options = {});
};
struct CategoricalFocalCrossentropyOptions {
  float alpha = 0.25f, gamma = 2;
  bool from_logits = false;
  float label_smoothing = 0;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CategoricalFocalCrossentropy : public Loss {
 public:
  explicit CategoricalFocalCrossentropy(CategoricalFocalCrossentropyOptions options = {});
};
struct SparseCategoricalCrossentropyOptions {
  bool from_logits = false;
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class SparseCategoricalCrossentropy : public Loss {  // targets: integers [...] or [..., 1], classes 0 …
 public:
  explicit SparseCategoricalCrossentropy(SparseCategoricalCrossentropyOptions options = {});
};
struct CategoricalGeneralizedCrossEntropyOptions {
  float q = 0.5f;  // between 0 and 1
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class CategoricalGeneralizedCrossEntropy : public Loss {  // targets as SparseCategoricalCrossentropy's
 public:
  explicit CategoricalGeneralizedCrossEntropy(CategoricalGeneralizedCrossEntropyOptions options = {});
};
struct DiceOptions {
  std::vector<int64_t> axis = {};  // none: all, the batch included
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class Dice : public Loss {
 public:
  explicit Dice(DiceOptions options = {});
};
struct TverskyOptions {
  float alpha = 0.5f, beta = 0.5f;
  std::vector<int64_t> axis = {};
  std::string reduction = "sum_over_batch_size";
  std::string name = "";
};
class Tversky : public Loss {
 public:
  explicit Tversky(TverskyOptions options = {});
};

// ---------------------------------------------------------------------------------------------------- metrics

// What is counted beside the loss, over all rows of an epoch or of evaluate(). "accuracy" is the accuracy that goes
// with the output: binary for one number a row, sparse where targets are numbers of classes, else categorical.
class Metric {
 public:
  // Keras's names and short names: "accuracy", "mae", "binary_accuracy", "AUC", …, and those of losses.
  Metric(const char* name);
  Metric(const std::string& name) : Metric(name.c_str()) {}
  Metric(const Loss& loss);         // its values' mean
  const std::string& name() const;  // as the logs have it

  const std::shared_ptr<const internal::MetricState>& state() const { return state_; }

 protected:
  explicit Metric(std::shared_ptr<const internal::MetricState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const internal::MetricState> state_;
};

struct MetricOptions {
  std::string name = "";
};
class RootMeanSquaredError : public Metric {
 public:
  explicit RootMeanSquaredError(MetricOptions options = {});
};
struct BinaryAccuracyOptions {
  float threshold = 0.5f;
  std::string name = "";
};
class BinaryAccuracy : public Metric {
 public:
  explicit BinaryAccuracy(BinaryAccuracyOptions options = {});
};
struct TopKOptions {
  int64_t k = 5;
  std::string name = "";
};
class TopKCategoricalAccuracy : public Metric {
 public:
  explicit TopKCategoricalAccuracy(TopKOptions options = {});
};
class SparseTopKCategoricalAccuracy : public Metric {
 public:
  explicit SparseTopKCategoricalAccuracy(TopKOptions options = {});
};
struct ThresholdOptions {
  float threshold = -1;   // scores above it are positive; -1: 0.5, or any with top_k
  int64_t top_k = 0;      // only the largest scores of a row are positive; 0: all
  int64_t class_id = -1;  // of the last axis; -1: all
  std::string name = "";
};
class Precision : public Metric {
 public:
  explicit Precision(ThresholdOptions options = {});
};
class Recall : public Metric {
 public:
  explicit Recall(ThresholdOptions options = {});
};
class TruePositives : public Metric {
 public:
  explicit TruePositives(ThresholdOptions options = {});
};
class FalsePositives : public Metric {
 public:
  explicit FalsePositives(ThresholdOptions options = {});
};
class TrueNegatives : public Metric {
 public:
  explicit TrueNegatives(ThresholdOptions options = {});
};
class FalseNegatives : public Metric {
 public:
  explicit FalseNegatives(ThresholdOptions options = {});
};
struct AUCOptions {
  int64_t num_thresholds = 200;
  std::string curve = "ROC";                       // or "PR"
  std::string summation_method = "interpolation";  // "minoring", "majoring"
  bool multi_label = false;                        // the mean over the places of the last axis
  bool from_logits = false;
  std::string name = "";
};
class AUC : public Metric {  // of the curve through num_thresholds points
 public:
  explicit AUC(AUCOptions options = {});
};
struct AtRateOptions {
  float value = 0.5f;  // the rate that is given
  int64_t num_thresholds = 200;
  int64_t class_id = -1;
  std::string name = "";
};
class SensitivityAtSpecificity : public Metric {
 public:
  explicit SensitivityAtSpecificity(AtRateOptions options = {});
};
class SpecificityAtSensitivity : public Metric {
 public:
  explicit SpecificityAtSensitivity(AtRateOptions options = {});
};
class PrecisionAtRecall : public Metric {
 public:
  explicit PrecisionAtRecall(AtRateOptions options = {});
};
class RecallAtPrecision : public Metric {
 public:
  explicit RecallAtPrecision(AtRateOptions options = {});
};
struct FBetaScoreOptions {
  std::string average = "";  // over classes: "micro", "macro", "weighted"; none goes with one class
  float beta = 1;
  float threshold = 0;  // 0: the largest score of a row is positive
  std::string name = "";
};
class FBetaScore : public Metric {
 public:
  explicit FBetaScore(FBetaScoreOptions options = {});
};
struct F1ScoreOptions {
  std::string average = "";
  float threshold = 0;
  std::string name = "";
};
class F1Score : public Metric {
 public:
  explicit F1Score(F1ScoreOptions options = {});
};
struct MeanIoUOptions {
  int64_t num_classes = 0;
  int64_t ignore_class = -1;
  bool sparse_y_true = true, sparse_y_pred = true;  // numbers of classes; false: one score a class, the largest counts
  std::string name = "";
};
class MeanIoU : public Metric {
 public:
  explicit MeanIoU(MeanIoUOptions options);
};
struct R2ScoreOptions {
  std::string class_aggregation = "uniform_average";  // or "variance_weighted_average"
  std::string name = "";
};
class R2Score : public Metric {
 public:
  explicit R2Score(R2ScoreOptions options = {});
};

// ------------------------------------------------------------------------------------------------- optimizers

// Legacy `decay`: the step's rate is learning_rate / (1 + decay * iterations), iterations counted before the step.
class Optimizer {
 public:
  Optimizer(const char* name);  // "sgd", "rmsprop", "adam" with their defaults
  Optimizer(const std::string& name) : Optimizer(name.c_str()) {}
  std::string name() const;
  float learning_rate() const;
  void set_learning_rate(float learning_rate);
  int64_t iterations() const;  // steps taken

  const std::shared_ptr<internal::OptimizerState>& state() const { return state_; }

 protected:
  explicit Optimizer(std::shared_ptr<internal::OptimizerState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<internal::OptimizerState> state_;
};
struct SGDOptions {
  float learning_rate = 0.01f, momentum = 0;
  bool nesterov = false;
  float decay = 0;
};
class SGD : public Optimizer {  // v = momentum * v - lr * g; w += v; nesterov: w += momentum * v - lr * g
 public:
  explicit SGD(SGDOptions options = {});
};
struct RMSpropOptions {
  float learning_rate = 0.001f, rho = 0.9f, momentum = 0, epsilon = 1e-7f, decay = 0;
};
class RMSprop : public Optimizer {  // a = rho * a + (1 - rho) * g^2; w -= lr * g / sqrt(a + epsilon)
 public:
  explicit RMSprop(RMSpropOptions options = {});
};
struct AdamOptions {
  float learning_rate = 0.001f, beta_1 = 0.9f, beta_2 = 0.999f, epsilon = 1e-7f, decay = 0;
};
class Adam : public Optimizer {  // lr_t = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t); w -= lr_t * m / (sqrt(v) + epsilon)
 public:
  explicit Adam(AdamOptions options = {});
};

// -------------------------------------------------------------------------------------------- logs and callbacks

// Named values in the order they were added: loss, accuracy, val_loss, val_accuracy, …
class Logs {
 public:
  void Set(const std::string& name, double value);
  const double* Find(const std::string& name) const;  // null when absent
  double At(const std::string& name) const;           // throws kNotFound and lists the names there are
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  bool empty() const { return values_.empty(); }

 private:
  std::vector<std::pair<std::string, double>> values_;
};

class Model;

// What fit() does, as far as it is known when it begins.
struct TrainingParams {
  int epochs = 1;     // final index
  int64_t steps = 0;  // of an epoch; 0: only walking through the dataset would tell
  int verbose = 1;
};

// All callbacks of a fit() share one Logs per event: what one adds, later ones see. Epochs and batches count from 0.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_train_begin() {}
  virtual void on_train_end() {}
  virtual void on_epoch_begin(int /*epoch*/) {}
  virtual void on_epoch_end(int /*epoch*/, Logs& /*logs*/) {}
  virtual void on_train_batch_begin(int /*batch*/) {}
  virtual void on_train_batch_end(int /*batch*/, Logs& /*logs*/) {}
  // What must survive a restart for the curve to go on unchanged (best value, patience left), as text that
  // restore_state() reads; "" for none. Kept in checkpoints.
  virtual std::string state() const { return ""; }
  virtual void restore_state(const std::string& /*state*/) {}

  // Called by fit(); the model outlives the training.
  void set_model(Model* model) { model_ = model; }
  void set_params(const TrainingParams& params) { params_ = params; }

 protected:
  Model& model() const { return *model_; }
  const TrainingParams& params() const { return params_; }

 private:
  Model* model_ = nullptr;
  TrainingParams params_;
};
using CallbackPtr = std::shared_ptr<Callback>;

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  int verbose = 0;
  bool save_best_only = false, save_weights_only = false;
  std::string mode = "auto";  // "min", "max"; auto: max when the name holds "acc"
};
// Saves to `filepath` after each epoch, behind all other callbacks, whose states the file keeps; load_weights() and a
// fit() with initial_epoch go on from there. The name may hold Python fields, printed as Python prints them:
// "{epoch:02d}-{val_loss:.2f}-{accuracy:.1%}.h5". A field that Python would refuse, and a name that ends in .keras or
// .weights.h5 (formats of Keras 3 that are not written here), throws at once; a field that is neither of fit()'s logs
// nor of Headrace's callbacks throws when fit() begins, unless a callback of the user's may add it.
CallbackPtr ModelCheckpoint(std::string filepath, ModelCheckpointOptions options = {});

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0;
  int patience = 0, verbose = 0;
  std::string mode = "auto";
  bool restore_best_weights = false;
  int start_from_epoch = 0;
};
CallbackPtr EarlyStopping(EarlyStoppingOptions options = {});

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;  // below 1
  int patience = 10, verbose = 0;
  std::string mode = "auto";
  double min_delta = 1e-4;
  int cooldown = 0;
  double min_lr = 0;
};
CallbackPtr ReduceLROnPlateau(ReduceLROnPlateauOptions options = {});

// Event files under log_dir/train and log_dir/validation with the tags epoch_loss, epoch_accuracy, ….
CallbackPtr TensorBoard(std::string log_dir = "logs");

struct CSVLoggerOptions {
  std::string separator = ",";
  bool append = false;
};
CallbackPtr CSVLogger(std::string filename, CSVLoggerOptions options = {});
CallbackPtr TerminateOnNaN();

struct LambdaCallbackOptions {
  std::function<void()> on_train_begin, on_train_end;
  std::function<void(int)> on_epoch_begin;
  std::function<void(int, Logs&)> on_epoch_end;
  std::function<void(int)> on_train_batch_begin;
  std::function<void(int, Logs&)> on_train_batch_end;
};
CallbackPtr LambdaCallback(LambdaCallbackOptions options);

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
};
struct PredictOptions {
  int64_t steps = 0;
  int64_t batch_size = 32;
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
  // Of several inputs and outputs, in the model's order; a dataset's elements have them one behind the other.
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
  // Weights by layer order from either file. With optimizer state in the file and a compiled model, that too:
  // training continues the very same curve.
  void load_weights(const std::string& path);

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
