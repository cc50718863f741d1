#include "keras/fit/batch_stream.h"

#include <algorithm>
#include <utility>

#include "base/result.h"
#include "data/dataset/stage.h"

namespace headrace::keras::internal {
namespace {

constexpr int64_t kBatchesAhead = 2;

data::Dataset CheckAndPrefetch(const std::string& name, const data::Dataset& dataset, int64_t steps) {
  if (steps < 0) throw MakeError(ErrorCode::kInvalidArgument, "{}: steps: found {}, wanted 0 or more", name, steps);
  if (steps == 0 && dataset.cardinality() == data::kInfinite) {
    throw MakeError(ErrorCode::kInvalidArgument, "{} is endless: found no number of steps, wanted one above 0", name);
  }
  return dataset.prefetch(kBatchesAhead);
}

// What cannot be read again (a generator, a pipe) is not passed over.
bool GoesOn(const data::Dataset& dataset) {
  return dataset.cardinality() == data::kInfinite && dataset.node()->replayable();
}

}  // namespace

BatchStream::BatchStream(std::string name, const data::Dataset& dataset, int64_t steps_per_epoch, size_t inputs,
                         size_t outputs, const DataSeen& before)
    : name_(std::move(name)),
      dataset_(CheckAndPrefetch(name_, dataset, steps_per_epoch)),
      steps_per_epoch_(steps_per_epoch),
      inputs_(inputs),
      outputs_(outputs),
      endless_(GoesOn(dataset) ? dataset.node() : nullptr),
      epochs_before_(before.epochs),
      batches_before_(endless_ != nullptr && before.endless.lock() == endless_ ? before.batches : 0) {}

DataSeen BatchStream::seen() const {
  return {epochs_before_ + epochs_, endless_, batches_before_ + epochs_ * steps_per_epoch_};
}

int64_t BatchStream::steps() const {
  return steps_per_epoch_ > 0 ? steps_per_epoch_ : std::max<int64_t>(0, dataset_.cardinality());
}

void BatchStream::StartEpoch(int64_t epoch, int64_t step) {
  step_ = step;
  ran_out_ = false;
  epochs_ = epoch + 1;
  if (steps_per_epoch_ > 0) {
    if (iterator_) return;
    pass_ = endless_ != nullptr ? 0 : epochs_before_;
    SkipTo(batches_before_ + epoch * steps_per_epoch_ + step);
  } else {
    iterator_.reset();  // its threads end before others start
    iterator_.emplace(dataset_.MakeIterator(pass_ = epochs_before_ + epoch));
    iterator_->Skip(step);
  }
}

void BatchStream::Rewind() {
  iterator_.reset();
  StartEpoch(0);
}

void BatchStream::SkipTo(int64_t batch) {
  iterator_.emplace(dataset_.MakeIterator(pass_));
  for (int64_t left = batch; left > 0;) {
    const int64_t skipped = iterator_->Skip(left);
    left -= skipped;
    if (left == 0) return;
    if (iterator_->position() == 0) return;  // no elements at all: Next() says so
    iterator_.emplace(dataset_.MakeIterator(++pass_));
  }
}

std::optional<data::Element> BatchStream::NextOfPass() {
  auto element = iterator_->Next();
  const bool at_end_of_pass = !element && step_ == 0 && iterator_->position() > 0;
  if (at_end_of_pass && steps_per_epoch_ > 0) {
    iterator_.emplace(dataset_.MakeIterator(++pass_));
    element = iterator_->Next();
  }
  return element;
}

std::optional<data::Element> BatchStream::Next() {
  if (steps_per_epoch_ > 0 && step_ == steps_per_epoch_) return std::nullopt;
  auto element = NextOfPass();
  if (!element) {
    if (iterator_->position() == 0) {
      throw MakeError(ErrorCode::kInvalidArgument, "{} is empty: found 0 batches, wanted 1 or more", name_);
    }
    ran_out_ = steps_per_epoch_ > 0;
    return std::nullopt;
  }
  Check(*element);
  ++step_;
  return element;
}

void BatchStream::Check(const data::Element& element) const {
  const size_t least = inputs_ + outputs_, size = element.size();
  bool fits = size == least || size == least + 1 || size == least + outputs_;
  for (size_t i = 0; fits && i < least; ++i) fits = element[i].defined();
  if (fits) return;
  if (least == 2)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: batch {}: found {} tensors, wanted 2: x and y, or a third one with the samples' weights",
                    name_, step_, size);
  throw MakeError(
      ErrorCode::kInvalidArgument,
      "{}: batch {}: found {} tensors, wanted {}: {} inputs and {} targets, or behind them the samples' weights", name_,
      step_, size, least, inputs_, outputs_);
}

}  // namespace headrace::keras::internal
