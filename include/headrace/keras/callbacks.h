// headrace/keras/callbacks.h: what fit() tells whom while it trains: logs, callbacks, and those of Keras.
//
// Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace headrace::keras {

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
  virtual void on_test_begin() {}  // of fit()'s validation, and of evaluate(callbacks)
  virtual void on_test_end(Logs& /*logs*/) {}
  virtual void on_predict_begin() {}  // of predict(callbacks)
  virtual void on_predict_end() {}
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

// Sets the rate of each epoch, from 0 on, to what the function says; it is told the rate of now. An optimizer whose
// rate is a schedule's is refused when fit() begins, by ReduceLROnPlateau too.
CallbackPtr LearningRateScheduler(std::function<double(int epoch, double learning_rate)> schedule, int verbose = 0);
CallbackPtr LearningRateScheduler(std::function<double(int epoch)> schedule, int verbose = 0);

struct BackupAndRestoreOptions {
  int64_t save_freq = 0;          // batches between two backups; 0: one behind each epoch
  bool delete_checkpoint = true;  // when fit() has ended
};
// Keeps what a fit() that is cut off needs to go on, in backup_dir/latest.h5: weights, optimizer, callbacks' states,
// epoch and batch. A fit() that finds it there goes on from it, with the curve that it would have had. Of several ranks
// the first one writes. The file is replaced at once or not at all, so that one is enough.
CallbackPtr BackupAndRestore(std::string backup_dir, BackupAndRestoreOptions options = {});

struct SwapEMAWeightsOptions {
  bool swap_on_epoch = false;  // also from the end of an epoch to the beginning of the next, for checkpoints
};
// Has validation, evaluate() and predict() use the optimizer's moving average of the weights (use_ema) in their place.
CallbackPtr SwapEMAWeights(SwapEMAWeightsOptions options = {});

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

}  // namespace headrace::keras
