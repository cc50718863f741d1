// MetricState: what a Metric handle refers to. A metric is either a function of targets and predictions as operations,
// whose values' mean counts, or a state that takes the tensors of each batch; either way an Accumulator keeps it over
// the batches of an epoch.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "headrace/keras.h"

#include "keras/operations/builder.h"

namespace headrace::keras::internal {

// What one batch says.
struct MetricBatch {
  double sum = 0, weight = 0;  // of the values of a function, and how many there are
  Tensor y_true, y_pred;       // float32, for metrics that have no function; y_true may be int64
  Tensor weights;              // float32 [rows], undefined: 1 each
};

class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual void Add(const MetricBatch& batch) = 0;
  virtual double Result() const = 0;
};

using MetricFunction = std::function<int(GraphBuilder& build, int y_true, int y_pred)>;

struct MetricState {
  std::string name;       // in the logs
  MetricFunction values;  // null: `accumulate` reads the tensors
  bool by_name = false;   // made by its name alone, which makes the same one again
  std::function<std::unique_ptr<Accumulator>()> accumulate;
};

std::unique_ptr<Accumulator> MakeMean();

// By Keras's function, class name or short name; null for none.
std::shared_ptr<const MetricState> FindMetric(const std::string& name);

}  // namespace headrace::keras::internal
