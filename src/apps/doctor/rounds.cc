#include "apps/doctor/rounds.h"

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

void DoctorRounds::Run() {
  const nlohmann::json checks = ToJson(examine_());
  const std::lock_guard lock(mutex_);
  last_ = {{"Checks", checks}, {"Time", static_cast<double>(clock_.Now()) / 1000}};
  running_ = false;
}

}  // namespace headrace::apps
