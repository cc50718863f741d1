// Group's Adasum: at each level a rank combines its vector with that of the partner whose number differs in one bit.
// Two vectors a and b become (1 - a.b / 2|a|^2) a + (1 - a.b / 2|b|^2) b: the sum when they are orthogonal, the mean
// when they are equal (Maleki et al., "Scaling Distributed Training with Adaptive Summation", arXiv 2006.02924).
#include <cmath>
#include <cstring>
#include <limits>

#include "horovod/group.h"
#include "horovod/reduce_kernels.h"

namespace headrace::hvd {
namespace {

struct Weights {
  double a, b;
};

// Horovod's: below the root of the smallest double a norm counts as zero.
Weights WeightsOf(const double (&dots)[3]) {
  const double tiny = std::sqrt(std::numeric_limits<double>::min());
  return {dots[1] < tiny ? 1 : 1 - dots[0] / (2 * dots[1]), dots[2] < tiny ? 1 : 1 - dots[0] / (2 * dots[2])};
}

template <typename T>
void Combine(int64_t count, const T* a, const T* b, Weights weights, T* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(weights.a * a[i] + weights.b * b[i]);
}

void CombineValues(DataType dtype, int64_t count, const std::byte* a, const std::byte* b, std::byte* out) {
  double dots[3];
  if (dtype == DataType::kFloat64) {
    const auto *x = reinterpret_cast<const double*>(a), *y = reinterpret_cast<const double*>(b);
    ReduceKernels().dots64(count, x, y, dots);
    return Combine(count, x, y, WeightsOf(dots), reinterpret_cast<double*>(out));
  }
  const auto *x = reinterpret_cast<const float*>(a), *y = reinterpret_cast<const float*>(b);
  ReduceKernels().dots(count, x, y, dots);
  Combine(count, x, y, WeightsOf(dots), reinterpret_cast<float*>(out));
}

}  // namespace

// All neighbours come here at the same time, each with a partner of its own, on this machine or on another.
Status Group::ExchangeWith(size_t partner, const std::byte* mine, std::byte* theirs, size_t bytes,
                           const std::string& what) {
  if (!IsLocal(partner)) {
    Transfers transfers = links_.NewTransfers();
    HEADRACE_TRY(transfers.Add(context_.transport.StartReceive(Lane::kCollectives, ranks_[partner], theirs, bytes),
                               ranks_[partner]));
    HEADRACE_TRY(
        transfers.Add(context_.transport.StartSend(Lane::kCollectives, ranks_[partner], mine, bytes), ranks_[partner]));
    HEADRACE_TRY(transfers.Wait([&] { return what; }));
  }
  if (locals_.size() == 1) return {};
  const std::byte* window = nullptr;
  for (size_t i = 0; i < locals_.size(); ++i)
    if (local_members_[i] == partner) window = context_.windows.in(locals_[i]);
  for (size_t begin = 0; begin < bytes; begin += Windows::kBytes) {
    const size_t count = std::min(Windows::kBytes, bytes - begin);
    std::memcpy(context_.windows.in(self_index()), mine + begin, count);
    HEADRACE_TRY(Barrier(what));
    if (window != nullptr) std::memcpy(theirs + begin, window, count);
    HEADRACE_TRY(Barrier(what));
  }
  return {};
}

Status Group::Adasum(std::byte* data, int64_t count, DataType dtype, const std::string& what) {
  const size_t bytes = static_cast<size_t>(count) * SizeOf(dtype);
  std::vector<std::byte> theirs(bytes);
  for (size_t distance = 1; distance < ranks_.size(); distance *= 2) {
    const size_t partner = self_ ^ distance;
    HEADRACE_TRY(ExchangeWith(partner, data, theirs.data(), bytes, what));
    // The lower rank's vector is `a` for both, so that both get the same bits.
    const bool lower = self_ < partner;
    CombineValues(dtype, count, lower ? data : theirs.data(), lower ? theirs.data() : data, data);
  }
  return {};
}

}  // namespace headrace::hvd
