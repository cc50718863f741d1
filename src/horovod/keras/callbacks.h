// Horovod's callbacks over a Communicator; include/headrace/horovod.h says what each does.
#pragma once

#include <functional>

#include "headrace/horovod.h"
#include "headrace/keras.h"

#include "horovod/communicator.h"

namespace headrace::hvd {

// `communicator` outlives what these return.
keras::CallbackPtr MakeBroadcastCallback(Communicator& communicator, int root_rank);
keras::CallbackPtr MakeMetricAverageCallback(Communicator& communicator);
keras::CallbackPtr MakeScheduleCallback(std::function<double(double epoch)> multiplier,
                                        callbacks::LearningRateScheduleOptions options);
keras::CallbackPtr MakeWarmupCallback(const Place& place, callbacks::LearningRateWarmupOptions options);

// All of the model's state that training changes: weights, optimizer slots, iterations and learning rate, from
// root_rank to all.
void BroadcastModel(Communicator& communicator, keras::Model& model, int root_rank);

}  // namespace headrace::hvd
