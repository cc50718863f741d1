// dgamma and dbeta: the sums over g that the gradient of a BatchNormalization needs before it can be written.
#include "tensor/isa/epilogue_backward.h"
#include "tensor/isa/kernels.h"
#include "tensor/isa/reduction.h"
#include "tensor/parallel.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// Adds g and g * (x - mean) of windows [begin, end) of a run to the block's sums.
template <typename Traits>
void AddStrip(const EpilogueGradient<Traits>& gradient, const float* mean, const EpilogueRun& run, int64_t begin,
              int64_t end, PartialSums& sums) {
  ForEachVector(gradient.c(), [&](int64_t channel, auto lanes) {
    const F32 center = Load(mean + channel, lanes);
    F32 sum{}, products{};
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      const WindowGradient window =
          gradient.At(gradient.Input(run, pixel) + channel, gradient.Output(run, pixel) + channel, channel, lanes);
      sum += window.g;
      products = MulAdd(window.g, window.x - center, products);
    }
    sums.AddToBlock(channel, sum, products, lanes);
  });
}

template <typename Traits>
void BackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch) {
  const EpilogueGradient<Traits> gradient(desc, args);
  ClearAll(scratch, desc.c, NumThreads());
  ParallelRanges(gradient.walk().runs(), [&](int64_t begin, int64_t end, int thread) {
    PartialSums sums(scratch, desc.c, thread);
    int64_t pending = 0;
    for (int64_t index = begin; index < end; ++index) {
      const EpilogueRun run = gradient.walk().Run(index);
      for (int64_t pixel = 0; pixel < run.count; pixel += kStripRows) {
        const int64_t last = pixel + kStripRows < run.count ? pixel + kStripRows : run.count;
        AddStrip(gradient, args.mean, run, pixel, last, sums);
      }
      pending += run.count;
      if (pending < kBlockRows && index + 1 < end) continue;
      sums.Merge();
      pending = 0;
    }
  });
  for (int64_t c = 0; c < desc.c; ++c) {
    const ChannelTotals total = TotalsOf(scratch, desc.c, NumThreads(), c);
    args.dbeta[c] = static_cast<float>(total.sum);
    args.dgamma[c] = static_cast<float>(total.sum2 * args.rstd[c]);
  }
}

}  // namespace

void EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args, double* scratch) {
  if (!desc.batch_norm) return;
  WithEpilogueTraits(desc, args.dropout.rate > 0, [&](auto traits) {
    if constexpr (decltype(traits)::kBatchNorm) BackwardSums<decltype(traits)>(desc, args, scratch);
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
