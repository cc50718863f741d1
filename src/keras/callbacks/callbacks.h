// What fit() and the tests know of Headrace's own callbacks beside the public factories.
#pragma once

#include <functional>
#include <string>

#include "headrace/keras.h"

namespace headrace::keras::internal {

// A callback that saves all callbacks' states: fit() calls it behind the others, when their states are the epoch's.
class CheckpointCallback : public Callback {};

// ModelCheckpoint that hands the path to `save` instead of saving the model.
CallbackPtr ModelCheckpointWith(std::string filepath, ModelCheckpointOptions options,
                                std::function<void(const std::string& path)> save);

}  // namespace headrace::keras::internal
