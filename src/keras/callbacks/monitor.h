// Monitor: one value of the logs watched for improvement, as ModelCheckpoint, EarlyStopping and ReduceLROnPlateau do.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "headrace/keras.h"

#include "keras/callbacks/callbacks.h"

namespace headrace::keras::internal {

class Monitor {
 public:
  // mode: "min", "max", or "auto": max when the name holds "acc". Throws kInvalidArgument for another one.
  Monitor(std::string callback, std::string name, const std::string& mode, double min_delta = 0);

  // Warns before the first step when the watched value will not be there.
  void Check(const ExpectedLogs& expected) const;
  // The watched value, or nullptr after a warning that lists what the logs hold.
  const double* Read(const Logs& logs) const;
  // Whether `value` beats the best by more than min_delta; the first value always does, NaN never beats another.
  bool Improves(double value) const;

  const std::string& name() const { return name_; }
  const std::optional<double>& best() const { return best_; }
  void set_best(std::optional<double> best) { best_ = best; }

  // The best as text that restores the very same bits.
  nlohmann::json State() const;
  void Restore(const nlohmann::json& state);

 private:
  std::string callback_, name_;
  bool maximize_ = false;
  double min_delta_ = 0;
  std::optional<double> best_;
};

}  // namespace headrace::keras::internal
