// Progbar: the text of verbose = 1 and 2, byte for byte Keras 2.3.1's (its Progbar), so that metric regexes written
// for it match. On a terminal the bar is drawn again in place; elsewhere each update is a line of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "headrace/keras.h"

namespace headrace::keras::internal {

class Progbar {
 public:
  struct Options {
    int64_t target = 0;  // steps; 0 when unknown
    int verbose = 1;     // 0 silent, 1 bar, 2 the last update only, as one line
    bool terminal = false;
    std::function<double()> now;                    // seconds; monotonic. Time counts from the construction
    std::function<void(const std::string&)> write;  // receives the text
  };
  explicit Progbar(Options options);

  // The first `current` steps are done; `values` is what to print behind the time, as it stands. Updates too close to
  // the one before are skipped. An unknown target becomes known when `last` is set.
  void Update(int64_t current, const Logs& values, bool last = false);

 private:
  std::string Bar(int64_t current) const;
  std::string Time(int64_t current, double elapsed) const;
  void Draw(const std::string& text, bool last);

  Options options_;
  double start_ = 0, last_update_ = 0;
  size_t width_ = 0;  // of the text on the terminal's line, to wipe it
};

// " - loss: 1.5321" in Keras's number format: %.4f above 1e-3, else %.4e.
std::string FormatMetric(const std::string& name, double value);

// Monotonic seconds.
double SteadySeconds();

}  // namespace headrace::keras::internal
