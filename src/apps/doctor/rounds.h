// DoctorRounds: the machine examined at the wish of whoever looks at the console, never twice at a time, on a thread of
// its own: an examination takes seconds, and nobody waits for it on a thread that serves requests.
#pragma once

#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "apps/doctor/examine.h"
#include "base/clock.h"

namespace headrace::apps {

class DoctorRounds {
 public:
  using Examination = std::function<std::vector<Check>()>;

  DoctorRounds(const Clock& clock, Examination examine) : clock_(clock), examine_(std::move(examine)) {}
  DoctorRounds(const DoctorRounds&) = delete;
  DoctorRounds& operator=(const DoctorRounds&) = delete;
  ~DoctorRounds();  // waits for an examination that is under way

  // {"Running", "Checks": [...], "Time": seconds}, the latter two of the last one that has ended. Begins one when there
  // was none, or `again` when none is under way.
  nlohmann::json Ask(bool again);

 private:
  std::vector<Check> Examined() const;
  void Run();

  const Clock& clock_;
  const Examination examine_;
  std::mutex mutex_;
  bool running_ = false;
  nlohmann::json last_ = nlohmann::json::object();
  std::thread thread_;
};

}  // namespace headrace::apps
