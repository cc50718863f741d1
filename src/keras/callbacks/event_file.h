// EventFile: a TensorBoard event file, one run's directory: TFRecords of tensorflow.Event messages.
// Format: tensorboard/compat/proto/{event,summary}.proto; scalars as TensorFlow 2's tf.summary.scalar writes them.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace headrace::keras::internal {

class EventFile {
 public:
  // Makes `directory` and a new file in it. Throws Error when that cannot be.
  explicit EventFile(const std::string& directory);

  void AddScalar(const std::string& tag, int64_t step, float value);
  // A run begins with `step`: points that an earlier one left for it and later steps are void. TensorBoard counts these
  // marks and takes the first of a directory for the beginning, so every file wants one.
  void AddStart(int64_t step);
  // What was added can be read by others from now on.
  void Flush();

 private:
  void Write(const std::string& event);

  std::string path_;
  std::ofstream file_;
};

}  // namespace headrace::keras::internal
