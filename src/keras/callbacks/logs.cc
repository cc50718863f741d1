#include "headrace/keras.h"

#include "base/result.h"

namespace headrace::keras {
namespace {

// Both Logs and History are short lists in the order of arrival: searching beats a map and keeps the order.
template <typename Pairs>
auto* FindByName(Pairs& pairs, const std::string& name) {
  for (auto& [key, value] : pairs) {
    if (key == name) return &value;
  }
  return static_cast<decltype(&pairs.front().second)>(nullptr);
}

template <typename Pairs>
Error Unknown(const char* what, const std::string& name, const Pairs& pairs) {
  std::string names;
  for (const auto& [key, value] : pairs) names += (names.empty() ? "" : ", ") + key;
  return MakeError(ErrorCode::kNotFound, "{}: no \"{}\"; there is: {}", what, name, names.empty() ? "nothing" : names);
}

}  // namespace

void Logs::Set(const std::string& name, double value) {
  if (double* found = FindByName(values_, name)) {
    *found = value;
  } else {
    values_.emplace_back(name, value);
  }
}

const double* Logs::Find(const std::string& name) const { return FindByName(values_, name); }

double Logs::At(const std::string& name) const {
  if (const double* found = Find(name)) return *found;
  throw Unknown("logs", name, values_);
}

const std::vector<double>& History::operator[](const std::string& name) const {
  if (const auto* found = FindByName(history, name)) return *found;
  throw Unknown("history", name, history);
}

}  // namespace headrace::keras
