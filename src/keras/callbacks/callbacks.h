// What fit() and the tests know of Headrace's own callbacks beside the public factories.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "headrace/keras.h"

namespace headrace::keras::internal {

// What on_epoch_end() will find in the logs, as far as it is known before the first step.
struct ExpectedLogs {
  Logs logs;             // the names; the values say nothing
  bool complete = true;  // false: a callback of the user's may add others
};

// A callback of Headrace's. Of these it is known what they add to logs and what they read there, so that a wrong name
// is found before the first step and not behind the first epoch.
class BuiltInCallback : public Callback {
 public:
  // What on_epoch_end() adds; nothing where it may be anything.
  virtual std::optional<std::vector<std::string>> AddedLogs() const { return std::vector<std::string>(); }
  // Throws, or warns, when what it reads will not be there.
  virtual void CheckLogs(const ExpectedLogs& /*expected*/) const {}
};

// What an epoch leaves in the logs, with what these callbacks add.
ExpectedLogs ExpectLogs(Logs of_epoch, const std::vector<CallbackPtr>& callbacks);

// A callback that saves all callbacks' states: fit() calls it behind the others, when their states are the epoch's.
class CheckpointCallback : public BuiltInCallback {};

// Where a fit() goes on.
struct TrainingPosition {
  int epoch = 0;
  int64_t step = 0;  // of the epoch
};

// A callback that may know where an earlier fit() was cut off.
class RestoringCallback : public CheckpointCallback {
 public:
  // Before the training begins: has the model as it was there, callbacks' states included. Nothing where there is none.
  virtual std::optional<TrainingPosition> Restore() = 0;
};

// ModelCheckpoint that hands the path to `save` instead of saving the model.
CallbackPtr ModelCheckpointWith(std::string filepath, ModelCheckpointOptions options,
                                std::function<void(const std::string& path)> save);

}  // namespace headrace::keras::internal
