// StepDisplay: how far a long step has come, on standard error so that results stay alone on standard output.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace headrace::apps {

class StepDisplay {
 public:
  // terminal: the line of a step is drawn again in place; else only finished steps are told.
  StepDisplay(bool terminal, std::function<void(const std::string&)> write);
  // For the process's standard error.
  static StepDisplay OfProcess();

  // The step `what` is at `done` of `total` (0: unknown); done == total finishes it.
  void Show(std::string_view what, uint64_t done, uint64_t total);

 private:
  bool terminal_;
  std::function<void(const std::string&)> write_;
  std::string shown_;  // what the terminal's line says
};

}  // namespace headrace::apps
