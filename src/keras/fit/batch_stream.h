// BatchStream: a dataset as fit() and evaluate() walk through it, epoch by epoch.
//
// With a number of steps an epoch, one iterator goes on through all epochs and starts a new pass only where an epoch
// begins at the dataset's end; without, every epoch is a pass of its own. Either way the position depends on the epoch
// alone, so a run resumed at epoch n sees what an uninterrupted one would. A run that follows another one goes on where
// that one ended if the dataset is the same, endless, and read with a number of steps. Any other begins at its first
// batch, as in Keras, and shuffles in another order than the epochs before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "headrace/data.h"

#include "keras/model_state.h"

namespace headrace::keras::internal {

class BatchStream {
 public:
  // `name`: for messages, "fit: validation_data"; inputs, outputs: tensors of x and of y in an element. Batches are
  // prepared on a thread of their own, ahead of the caller. Throws kInvalidArgument when `steps_per_epoch` is negative,
  // or 0 for an endless dataset. `before`: what earlier runs have seen, which this one goes on behind.
  BatchStream(std::string name, const data::Dataset& dataset, int64_t steps_per_epoch, size_t inputs = 1,
              size_t outputs = 1, const DataSeen& before = {});

  // Batches of an epoch, 0 when only walking through it would tell.
  int64_t steps() const;
  // The next batch is number `step` of `epoch`. Epochs come in order, the first one may be any, and only it may begin
  // behind its first batch.
  void StartEpoch(int64_t epoch, int64_t step = 0);
  // Up to the end of the last epoch that was started, with what earlier runs have seen.
  DataSeen seen() const;
  // The next batch is the first of all.
  void Rewind();
  // The next element of the epoch, or nullopt when it is over: at its last step or at the end of the dataset. It has x,
  // y and perhaps weights of the samples. Throws kInvalidArgument for another one and for a dataset without elements.
  std::optional<data::Element> Next();
  // Whether the dataset ended before the epoch had its steps.
  bool RanOut() const { return ran_out_; }

 private:
  std::optional<data::Element> NextOfPass();
  void SkipTo(int64_t batch);
  void Check(const data::Element& element) const;

  std::string name_;
  data::Dataset dataset_;
  int64_t steps_per_epoch_;
  size_t inputs_, outputs_;
  std::shared_ptr<const data::Dataset::Node> endless_;  // the given dataset, where a next run goes on in it
  int64_t epochs_before_, batches_before_;
  int64_t epochs_ = 0;  // up to the last one that was started, those of this run alone
  std::optional<data::Iterator> iterator_;
  int64_t pass_ = 0;
  int64_t step_ = 0;  // batches of this epoch so far
  bool ran_out_ = false;
};

}  // namespace headrace::keras::internal
