#include "keras/layers/window.h"

#include <algorithm>

#include "base/result.h"
#include "keras/layers/checks.h"

namespace headrace::keras::internal {

Padding PaddingByName(const std::string& layer, const std::string& name) {
  const std::string lower = Lowercase(name);
  if (lower == "valid") return Padding::kValid;
  if (lower == "same") return Padding::kSame;
  throw MakeError(ErrorCode::kInvalidArgument, "{}: padding: found \"{}\", wanted \"valid\" or \"same\"", layer, name);
}

const char* NameOf(Padding padding) { return padding == Padding::kSame ? "same" : "valid"; }

Window PlaceWindow(const std::string& layer, const char* axis, int64_t in, int64_t size, int64_t stride,
                   Padding padding) {
  Window window;
  if (padding == Padding::kValid) {
    if (in < size)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "{}: the window does not fit: found an input of {} {}, wanted {} or more (or padding \"same\")",
                      layer, axis, in, size);
    window.out = (in - size) / stride + 1;
    return window;
  }
  window.out = (in + stride - 1) / stride;
  const int64_t total = std::max<int64_t>((window.out - 1) * stride + size - in, 0);
  window.before = total / 2;
  window.after = total - window.before;
  return window;
}

}  // namespace headrace::keras::internal
