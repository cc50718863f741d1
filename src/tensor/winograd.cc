#include "tensor/winograd.h"

#include <algorithm>
#include <array>

#include "tensor/isa/winograd_kernels.h"
#include "tensor/moment_merge.h"
#include "tensor/parallel.h"
#include "tensor/winograd_plan.h"

namespace headrace::tensor {
namespace {

// The second-level cache a core has on the processors we know (1 to 2 MiB), less what streams through it.
constexpr int64_t kCacheBytes = 1400 << 10;
// Accumulators of backward weights larger than this are cut by channels.
constexpr int64_t kAccumulatorBytes = 1200 << 10;
// Rows of the largest register tile (gemm_tile.h), and the blocks measured best: large enough to reuse the kernel,
// small enough that what a block transforms is still near when it is used.
constexpr int64_t kRows = 14;
constexpr int64_t kMostTiles = 3 * kRows;
constexpr int64_t kLine = kFloatsOfLine;
constexpr int kMaxParts = 256;

// The convolution that computes dx from dy: the kernel turned by 180 degrees with its channels swapped, and what the
// forward pass left of the full padding.
Conv2DDesc BackwardDataOf(const Conv2DDesc& d) {
  Conv2DDesc back = d;
  back.h = d.out_h();
  back.w = d.out_w();
  back.c = d.f;
  back.f = d.c;
  back.pad_top = 2 - d.pad_top;
  back.pad_bottom = 2 - d.pad_bottom;
  back.pad_left = 2 - d.pad_left;
  back.pad_right = 2 - d.pad_right;
  return back;
}

// Sizes common to the three passes; c and f are those of the convolution that is computed.
class WinogradShape {
 public:
  WinogradShape(const Conv2DDesc& desc, const WinogradOptions& options, int64_t weight_bytes)
      : desc(desc), kernels(WinogradKernelsOf(options.isa)), threads(NumThreads()) {
    cp = RoundUp(desc.c, kernels.lanes);
    fp = RoundUp(desc.f, kernels.lanes);
    const int64_t tile_bytes = 36 * 4 * (cp + fp);
    const int64_t room = kCacheBytes - std::min(weight_bytes, kCacheBytes / 2);
    const int64_t fitting = std::clamp<int64_t>(room / tile_bytes / kRows * kRows, kRows, kMostTiles);
    plan = PlanWinograd(desc.n, desc.out_h(), desc.out_w(), options.block_tiles ? options.block_tiles : fitting,
                        options.mixed);
    v_plane = WinogradPlane(plan.max_count * cp);
    m_plane = WinogradPlane(plan.max_count * fp);
    strip_floats = RoundUp(plan.max_strip * cp, kLine);
    scratch_floats = strip_floats + plan.max_points() * (v_plane + m_plane);
  }

  float* Strip(float* scratch, int thread) const { return scratch + thread * scratch_floats; }
  float* V(float* scratch, int thread) const { return Strip(scratch, thread) + strip_floats; }
  float* M(float* scratch, int thread) const { return V(scratch, thread) + plan.max_points() * v_plane; }

  Conv2DDesc desc;
  const WinogradKernels& kernels;
  int threads;
  WinogradPlan plan;
  int64_t cp, fp, v_plane, m_plane, strip_floats, scratch_floats;
};

// What forward and backward data share: y = x * kernel, the kernel as [tap][c][f] in the order of the convolution.
class WinogradEngine {
 public:
  WinogradEngine(const Conv2DDesc& desc, const WinogradOptions& options)
      : shape_(desc, options, 36 * 4 * RoundUp(desc.c, 16) * RoundUp(desc.f, 16)) {}

  const WinogradShape& shape() const { return shape_; }
  int64_t workspace_floats() const { return u_floats() + sums_floats() + shape_.threads * shape_.scratch_floats; }

  void Run(const void* x, const ChannelAffine* affine, const float* kernel, const float* bias, void* y,
           const ChannelMoments* moments, float* workspace) const {
    const WinogradShape& s = shape_;
    float* const u = workspace;
    float* const sums = u + u_floats();
    float* const scratch = sums + sums_floats();
    TransformKernel(kernel, u);
    WinogradInput in;
    in.data = x;
    in.bf16 = s.desc.dtype == DType::kBFloat16;
    in.h = s.desc.h;
    in.w = s.desc.w;
    in.c = s.desc.c;
    in.pad_top = s.desc.pad_top;
    in.pad_left = s.desc.pad_left;
    in.c_end = s.desc.c;
    if (affine) {
      in.scale = affine->scale;
      in.shift = affine->shift;
      in.relu = affine->relu;
    }
    WinogradOutput out;
    out.data = y;
    out.bf16 = in.bf16;
    out.h = s.desc.out_h();
    out.w = s.desc.out_w();
    out.f = s.desc.f;
    out.pitch = s.desc.f;
    out.bias = bias;
    ParallelDynamic(static_cast<int64_t>(s.plan.items.size()), [&](int64_t index, int thread) {
      WinogradOutput block_out = out;
      if (moments) block_out.sums = sums + index * 3 * s.fp;
      RunBlock(s.plan.items[index], in, block_out, u, scratch, thread);
    });
    if (moments) {
      MergeMoments(
          static_cast<int64_t>(s.plan.items.size()), [&](int64_t b) { return s.plan.items[b].outputs; }, s.desc.f, s.fp,
          sums, *moments);
    }
  }

 private:
  int64_t u_floats() const { return RoundUp(shape_.plan.total_points() * shape_.desc.c * shape_.fp, kLine); }
  int64_t sums_floats() const { return RoundUp(static_cast<int64_t>(shape_.plan.items.size()) * 3 * shape_.fp, kLine); }
  float* UOf(float* u, size_t tiles) const { return u + shape_.plan.points_before(tiles) * shape_.desc.c * shape_.fp; }

  void TransformKernel(const float* kernel, float* u) const {
    const WinogradShape& s = shape_;
    ParallelRanges(s.desc.c, [&](int64_t begin, int64_t end, int) {
      for (size_t i = 0; i < s.plan.tiles.size(); ++i) {
        s.kernels.transform_kernel(s.plan.tiles[i], s.desc.c, s.desc.f, s.fp, kernel, s.desc.f, begin, end, UOf(u, i));
      }
    });
  }

  void RunBlock(const WinogradPlan::Item& item, const WinogradInput& in, const WinogradOutput& out, float* u,
                float* scratch, int thread) const {
    const WinogradShape& s = shape_;
    const WinogradTiles& tiles = s.plan.tiles[item.tiles];
    float* const v = s.V(scratch, thread);
    float* const m = s.M(scratch, thread);
    s.kernels.transform_input(in, tiles, item.block, s.Strip(scratch, thread), v, s.v_plane);
    s.kernels.multiply(tiles.points(), item.block.count(), s.desc.c, s.fp, v, s.cp, s.v_plane, UOf(u, item.tiles), m,
                       s.m_plane);
    s.kernels.transform_output(out, tiles, item.block, m, s.m_plane);
  }

  WinogradShape shape_;
};

class WinogradForward final : public ConvForward {
 public:
  WinogradForward(const Conv2DDesc& desc, const WinogradOptions& options) : engine_(desc, options) {}
  std::string name() const override { return "winograd_f4"; }
  size_t workspace_bytes() const override { return engine_.workspace_floats() * sizeof(float); }
  bool direct() const override { return false; }
  bool fuses_input() const override { return true; }
  bool fuses_moments() const override { return true; }
  void Run(const Args& args) const override {
    engine_.Run(args.x, args.input, args.kernel, args.bias, args.y, args.moments, static_cast<float*>(args.workspace));
  }

 private:
  WinogradEngine engine_;
};

class WinogradBackwardData final : public ConvBackwardData {
 public:
  WinogradBackwardData(const Conv2DDesc& desc, const WinogradOptions& options)
      : engine_(BackwardDataOf(desc), options) {}
  std::string name() const override { return "winograd_f4"; }
  size_t workspace_bytes() const override { return (turned_floats() + engine_.workspace_floats()) * sizeof(float); }
  bool direct() const override { return false; }
  void Run(const Args& args) const override {
    float* const turned = static_cast<float*>(args.workspace);
    Turn(args.kernel, turned);
    engine_.Run(args.dy, nullptr, turned, nullptr, args.dx, nullptr, turned + turned_floats());
  }

 private:
  int64_t turned_floats() const { return RoundUp(9 * engine_.shape().desc.c * engine_.shape().desc.f, kLine); }

  // turned[8 - tap][f][c] = kernel[tap][c][f], in squares that stay in the first-level cache.
  void Turn(const float* kernel, float* turned) const {
    constexpr int64_t kSquare = 16;
    const int64_t f_count = engine_.shape().desc.c, c_count = engine_.shape().desc.f;
    ParallelDynamic(9, [&](int64_t tap, int) {
      const float* from = kernel + tap * c_count * f_count;
      float* to = turned + (8 - tap) * c_count * f_count;
      for (int64_t c0 = 0; c0 < c_count; c0 += kSquare) {
        for (int64_t f0 = 0; f0 < f_count; f0 += kSquare) {
          for (int64_t f = f0; f < std::min(f0 + kSquare, f_count); ++f) {
            for (int64_t c = c0; c < std::min(c0 + kSquare, c_count); ++c) {
              to[f * c_count + c] = from[c * f_count + f];
            }
          }
        }
      }
    });
  }

  WinogradEngine engine_;
};

// Work is cut into chunks of input channels, so that the accumulators [points][c][f] of one stay in the cache, and
// fixed ranges of blocks, one accumulator each, added in their order.
class WinogradBackwardWeights final : public ConvBackwardWeights {
 public:
  WinogradBackwardWeights(const Conv2DDesc& desc, const WinogradOptions& options)
      : shape_(desc, options,
               std::min<int64_t>(36 * 4 * RoundUp(desc.c, 16) * RoundUp(desc.f, 16), kAccumulatorBytes)) {
    const WinogradShape& s = shape_;
    const int64_t bytes = 36 * 4 * s.cp * s.fp;
    const int64_t wanted = (bytes + kAccumulatorBytes - 1) / kAccumulatorBytes;
    chunk_c_ = RoundUp((s.cp + wanted - 1) / wanted, std::max<int64_t>(kLine, s.kernels.lanes));
    chunks_ = (desc.c + chunk_c_ - 1) / chunk_c_;
    ranges_ = std::min<int64_t>((s.threads + chunks_ - 1) / chunks_, kMaxParts);
    first_item_.resize(s.plan.tiles.size() + 1, static_cast<int64_t>(s.plan.items.size()));
    for (int64_t i = static_cast<int64_t>(s.plan.items.size()) - 1; i >= 0; --i) first_item_[s.plan.items[i].tiles] = i;
    part_floats_ = RoundUp(s.plan.total_points() * chunk_c_ * s.fp, kLine);
  }

  std::string name() const override { return "winograd_f4"; }
  size_t workspace_bytes() const override {
    return (chunks_ * ranges_ * part_floats_ + sums_floats() + shape_.threads * shape_.scratch_floats) * sizeof(float);
  }
  bool direct() const override { return false; }
  bool fuses_input() const override { return true; }

  void Run(const Args& args) const override {
    float* const parts = static_cast<float*>(args.workspace);
    float* const sums = parts + chunks_ * ranges_ * part_floats_;
    float* const scratch = sums + sums_floats();
    ParallelDynamic(chunks_ * ranges_, [&](int64_t index, int thread) {
      Accumulate(args, index / ranges_, index % ranges_, parts + index * part_floats_, sums, scratch, thread);
    });
    Finish(parts, args.dkernel);
    if (args.dbias) FinishBias(sums, args.dbias);
  }

 private:
  int64_t sums_floats() const { return RoundUp(static_cast<int64_t>(shape_.plan.items.size()) * shape_.fp, kLine); }
  int64_t ChunkChannels(int64_t chunk) const { return std::min(chunk_c_, shape_.desc.c - chunk * chunk_c_); }
  int64_t RangeBegin(size_t tiles, int64_t range) const {
    const int64_t count = first_item_[tiles + 1] - first_item_[tiles];
    return first_item_[tiles] + count * range / ranges_;
  }

  void Accumulate(const Args& args, int64_t chunk, int64_t range, float* part, float* sums, float* scratch,
                  int thread) const {
    const WinogradShape& s = shape_;
    WinogradInput in;
    in.data = args.x;
    in.bf16 = s.desc.dtype == DType::kBFloat16;
    in.h = s.desc.h;
    in.w = s.desc.w;
    in.c = s.desc.c;
    in.pad_top = s.desc.pad_top;
    in.pad_left = s.desc.pad_left;
    in.c_begin = chunk * chunk_c_;
    in.c_end = in.c_begin + ChunkChannels(chunk);
    if (args.input) {
      in.scale = args.input->scale;
      in.shift = args.input->shift;
      in.relu = args.input->relu;
    }
    WinogradGradient gradient;
    gradient.data = args.dy;
    gradient.bf16 = in.bf16;
    gradient.h = s.desc.out_h();
    gradient.w = s.desc.out_w();
    gradient.f = s.desc.f;
    const int64_t channels = ChunkChannels(chunk);
    const int64_t cp = RoundUp(channels, s.kernels.lanes);
    float* const v = s.V(scratch, thread);
    float* const m = s.M(scratch, thread);
    for (size_t t = 0; t < s.plan.tiles.size(); ++t) {
      const WinogradTiles& tiles = s.plan.tiles[t];
      float* const u = part + s.plan.points_before(t) * channels * s.fp;
      const int64_t begin = RangeBegin(t, range);
      for (int64_t i = begin; i < RangeBegin(t, range + 1); ++i) {
        const TileBlock& block = s.plan.items[i].block;
        gradient.sums = args.dbias && chunk == 0 ? sums + i * s.fp : nullptr;
        s.kernels.transform_input(in, tiles, block, s.Strip(scratch, thread), v, s.v_plane);
        s.kernels.transform_gradient(gradient, tiles, block, m, s.m_plane);
        s.kernels.accumulate(i == begin, tiles.points(), block.count(), channels, s.fp, v, cp, s.v_plane, m, s.m_plane,
                             u);
      }
    }
  }

  void Finish(const float* parts, float* dkernel) const {
    constexpr int64_t kStep = 8;
    const WinogradShape& s = shape_;
    const int64_t steps = (chunk_c_ + kStep - 1) / kStep;
    ParallelDynamic(chunks_ * steps, [&](int64_t index, int) {
      const int64_t chunk = index / steps;
      const int64_t channels = ChunkChannels(chunk);
      const int64_t begin = index % steps * kStep;
      const int64_t end = std::min(begin + kStep, channels);
      bool first = true;
      for (size_t t = 0; t < s.plan.tiles.size(); ++t) {
        std::array<const float*, kMaxParts> from;
        int64_t count = 0;
        for (int64_t r = 0; r < ranges_; ++r) {
          if (RangeBegin(t, r) == RangeBegin(t, r + 1)) continue;
          from[count++] = parts + (chunk * ranges_ + r) * part_floats_ + s.plan.points_before(t) * channels * s.fp;
        }
        s.kernels.transform_kernel_gradient(s.plan.tiles[t], channels, s.desc.f, s.fp, from.data(), count, begin, end,
                                            first, dkernel + chunk * chunk_c_ * s.desc.f, s.desc.c * s.desc.f);
        first = false;
      }
    });
  }

  void FinishBias(const float* sums, float* dbias) const {
    const int64_t items = static_cast<int64_t>(shape_.plan.items.size());
    for (int64_t k = 0; k < shape_.desc.f; ++k) {
      double sum = 0;
      for (int64_t i = 0; i < items; ++i) sum += sums[i * shape_.fp + k];
      dbias[k] = static_cast<float>(sum);
    }
  }

  WinogradShape shape_;
  int64_t chunk_c_, chunks_, ranges_, part_floats_;
  std::vector<int64_t> first_item_;  // of each tile size, and the end
};

}  // namespace

std::unique_ptr<ConvForward> MakeWinogradForward(const Conv2DDesc& desc, const WinogradOptions& options) {
  if (!WinogradSupports(desc)) return nullptr;
  return std::make_unique<WinogradForward>(desc, options);
}

std::unique_ptr<ConvBackwardData> MakeWinogradBackwardData(const Conv2DDesc& desc, const WinogradOptions& options) {
  if (!WinogradSupports(desc)) return nullptr;
  return std::make_unique<WinogradBackwardData>(desc, options);
}

std::unique_ptr<ConvBackwardWeights> MakeWinogradBackwardWeights(const Conv2DDesc& desc,
                                                                 const WinogradOptions& options) {
  if (!WinogradSupports(desc)) return nullptr;
  return std::make_unique<WinogradBackwardWeights>(desc, options);
}

}  // namespace headrace::tensor
