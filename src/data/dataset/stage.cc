#include "data/dataset/stage.h"

#include <algorithm>
#include <array>

namespace headrace::data {

int64_t Stage::Skip(int64_t count) {
  std::array<Element, 16> dropped;
  int64_t skipped = 0;
  while (skipped < count) {
    const size_t wanted = static_cast<size_t>(std::min<int64_t>(dropped.size(), count - skipped));
    const size_t n = Pull(std::span(dropped.data(), wanted));
    if (n == 0) break;
    skipped += static_cast<int64_t>(n);
  }
  return skipped;
}

size_t ElementStage::Pull(std::span<Element> out) {
  if (error_) std::rethrow_exception(error_);
  size_t n = 0;
  try {
    while (n < out.size() && (n == 0 || ready()) && PullOne(out[n])) ++n;
  } catch (...) {
    if (n == 0) throw;
    error_ = std::current_exception();
  }
  return n;
}

}  // namespace headrace::data
