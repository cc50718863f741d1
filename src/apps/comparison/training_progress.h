// TrainingProgress: what a job's log tells about the speed of its training, from the lines that Keras prints:
//
//   Epoch 1/3
//   25/25 [==============================] - 2s 66ms/step - loss: 2.8487 - accuracy: 0.1694
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace headrace::apps::comparison {

struct Epoch {
  int64_t begin = 0;            // Unix time in milliseconds
  std::optional<int64_t> end;   // of its last step and its validation; none: it was not ended
  int64_t steps = 0;            // 0: not told
  double seconds_per_step = 0;  // as printed, validation included; 0: not told
};

class TrainingProgress {
 public:
  // One event of the log, `time` in milliseconds. Events of a stream come in their order. Lines that Open MPI has
  // marked as those of another rank than the first ("[1,mpirank:3,algo-2]<stdout>:", "[1,3]<stdout>:") are passed over.
  void Feed(int64_t time, std::string_view message);

  const std::vector<Epoch>& epochs() const { return epochs_; }

 private:
  std::vector<Epoch> epochs_;
};

}  // namespace headrace::apps::comparison
