#include "apps/doctor/rounds.h"

#include <exception>

namespace headrace::apps {

DoctorRounds::~DoctorRounds() {
  if (thread_.joinable()) thread_.join();
}

nlohmann::json DoctorRounds::Ask(bool again) {
  const std::lock_guard lock(mutex_);
  if (!running_ && (again || last_.empty())) {
    if (thread_.joinable()) thread_.join();  // it has ended
    running_ = true;
    thread_ = std::thread([this] { Run(); });
  }
  nlohmann::json told = last_;
  told["Running"] = running_;
  return told;
}

// An examination that breaks off is what it has found: the server goes on.
std::vector<Check> DoctorRounds::Examined() const {
  try {
    return examine_();
  } catch (const std::exception& problem) {
    return {{"doctor", Verdict::kFailed, problem.what()}};
  }
}

void DoctorRounds::Run() {
  const nlohmann::json checks = ToJson(Examined());
  const std::lock_guard lock(mutex_);
  last_ = {{"Checks", checks}, {"Time", static_cast<double>(clock_.Now()) / 1000}};
  running_ = false;
}

}  // namespace headrace::apps
