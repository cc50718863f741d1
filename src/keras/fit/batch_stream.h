// BatchStream: a dataset as fit() and evaluate() walk through it, epoch by epoch.
//
// With a number of steps an epoch, one iterator goes on through all epochs and starts a new pass only where an epoch
// begins at the dataset's end; without, every epoch is a pass of its own. Either way the position depends on the epoch
// alone, so a run resumed at epoch n sees what an uninterrupted one would, and one that follows another goes on where
// that one ended. What cannot be read again (a generator, a pipe) is not passed over for that: it begins anew, in
// another order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "headrace/data.h"

namespace headrace::keras::internal {

class BatchStream {
 public:
  // `name`: for messages, "fit: validation_data"; inputs, outputs: tensors of x and of y in an element. Batches are
  // prepared on a thread of their own, ahead of the caller. Throws kInvalidArgument when `steps_per_epoch` is negative,
  // or 0 for an endless dataset. `epochs_before`: of this data, seen by earlier runs, which this one goes on behind.
  BatchStream(std::string name, const data::Dataset& dataset, int64_t steps_per_epoch, size_t inputs = 1,
              size_t outputs = 1, int64_t epochs_before = 0);

  // Batches of an epoch, 0 when only walking through it would tell.
  int64_t steps() const;
  // The next batch is number `step` of `epoch`. Epochs come in order, the first one may be any, and only it may begin
  // behind its first batch.
  void StartEpoch(int64_t epoch, int64_t step = 0);
  // Epochs up to the last one that was started, those of earlier runs among them.
  int64_t epochs_begun() const { return epochs_begun_; }
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
  int64_t epochs_before_, epochs_begun_;
  std::optional<data::Iterator> iterator_;
  int64_t pass_ = 0;
  int64_t step_ = 0;  // batches of this epoch so far
  bool ran_out_ = false;
};

}  // namespace headrace::keras::internal
