// The loops of fit() and evaluate() over anything that computes batches: what is counted, shown and told to callbacks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/fit/batch_stream.h"
#include "keras/progress.h"

namespace headrace::keras::internal {

using BatchFn = std::function<BatchResult(const data::Element& batch)>;

// Where a loop shows what happens. The defaults are the process's.
struct Display {
  static Display Process();
  bool terminal = false;
  std::function<double()> now;  // seconds; monotonic
  std::function<void(const std::string&)> write, warn;

  Progbar Bar(int64_t target, int verbose) const;
};

// What the logs have beside "loss".
struct LogColumns {
  struct OfMetric {
    std::string name;
    std::function<std::unique_ptr<Accumulator>()> accumulate;
  };
  std::vector<std::string> losses;  // of the outputs, where several have one
  std::vector<OfMetric> metrics;
};
LogColumns ColumnsOf(const ModelState& model);  // of a compiled model

// Losses and metrics over all rows so far, as Logs.
class RunningResults {
 public:
  explicit RunningResults(const LogColumns& columns);
  void Add(const BatchResult& batch);
  void WriteTo(Logs& logs, const std::string& prefix = "") const;

 private:
  const LogColumns& columns_;
  int64_t rows_ = 0;
  double loss_ = 0;
  std::vector<double> losses_;
  std::vector<std::unique_ptr<Accumulator>> metrics_;
};

struct Training {
  BatchFn train, test;
  LogColumns columns;
  int epochs = 1, initial_epoch = 0, verbose = 1;
  int64_t initial_step = 0;                     // of the first epoch
  int64_t steps_per_epoch = 0;                  // as fit() was asked; 0: until the dataset ends
  std::function<GradientExchange*()> exchange;  // asked anew each time; none, or null: the model trains alone
  std::function<bool()> train_without_batch;    // Engine::TrainWithoutBatch, with an exchange
  std::vector<CallbackPtr> callbacks;           // called in this order
  std::function<void()> finalize;               // behind the last epoch, before on_train_end(); may be empty
  std::string callback_states;                  // given to them behind on_train_begin(); "" for none
  BatchStream* data = nullptr;
  BatchStream* validation = nullptr;  // null for none
  bool* stop = nullptr;               // set by callbacks
};
History RunTraining(const Training& training, const Display& display);

struct Evaluation {
  BatchFn test;
  LogColumns columns;
  int verbose = 1;
  BatchStream* data = nullptr;
};
// "loss" and the metrics, each behind `prefix`, into `logs`.
void RunEvaluation(const Evaluation& evaluation, const Display& display, Logs& logs, const std::string& prefix = "");

}  // namespace headrace::keras::internal
