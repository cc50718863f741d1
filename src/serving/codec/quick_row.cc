#include "serving/codec/quick_row.h"

#include <charconv>

namespace headrace::serving::internal {
namespace {

bool SkipDigits(const char*& at) {
  const char* const start = at;
  while (*at >= '0' && *at <= '9') ++at;
  return at > start;
}

// The end of the JSON number that starts here; nullptr when none does.
const char* EndOfNumber(const char* at) {
  if (*at == '-') ++at;
  const char* const whole = at;
  if (!SkipDigits(at) || (*whole == '0' && at > whole + 1)) return nullptr;
  if (*at == '.' && !SkipDigits(++at)) return nullptr;
  if (*at != 'e' && *at != 'E') return at;
  ++at;
  if (*at == '+' || *at == '-') ++at;
  return SkipDigits(at) ? at : nullptr;
}

}  // namespace

bool TakeNumberWithCare(const char*& at, float& number) {
  const char* const end = EndOfNumber(at);
  if (end == nullptr) return false;
  double value;
  if (std::from_chars(at, end, value).ec != std::errc()) return false;
  number = static_cast<float>(value);
  at = end;
  return true;
}

}  // namespace headrace::serving::internal
