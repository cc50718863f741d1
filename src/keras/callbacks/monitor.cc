#include "keras/callbacks/monitor.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "keras/callbacks/python_format.h"
#include "keras/console.h"

namespace headrace::keras::internal {

Monitor::Monitor(std::string callback, std::string name, const std::string& mode, double min_delta)
    : callback_(std::move(callback)), name_(std::move(name)), min_delta_(std::fabs(min_delta)) {
  if (mode != "auto" && mode != "min" && mode != "max") {
    throw MakeError(ErrorCode::kInvalidArgument, "{}: mode: found \"{}\", wanted auto, min or max", callback_, mode);
  }
  maximize_ = mode == "max" || (mode == "auto" && name_.find("acc") != std::string::npos);
}

void Monitor::Check(const ExpectedLogs& expected) const {
  if (expected.complete) Read(expected.logs);
}

const double* Monitor::Read(const Logs& logs) const {
  const double* value = logs.Find(name_);
  if (value == nullptr) {
    std::string names;
    for (const auto& [name, unused] : logs) names += (names.empty() ? "" : ", ") + name;
    Warn(fmt::format("{}: monitors \"{}\", which is not there; available: {}", callback_, name_, names));
  }
  return value;
}

bool Monitor::Improves(double value) const {
  if (!best_) return true;
  return maximize_ ? value - min_delta_ > *best_ : value + min_delta_ < *best_;
}

nlohmann::json Monitor::State() const {
  if (!best_) return nullptr;
  return PythonRepr(*best_);  // JSON numbers know neither nan nor inf
}

void Monitor::Restore(const nlohmann::json& state) {
  best_.reset();
  if (state.is_string()) best_ = std::strtod(state.get_ref<const std::string&>().c_str(), nullptr);
}

}  // namespace headrace::keras::internal
