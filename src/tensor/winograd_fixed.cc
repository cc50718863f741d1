#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/result.h"
#include "tensor/isa/winograd_kernels.h"
#include "tensor/parallel.h"
#include "tensor/winograd.h"
#include "tensor/winograd_plan.h"

namespace headrace::tensor {
namespace {

constexpr int64_t kFewestChannels = 16;
// A transformed kernel is 4 to 11 times the kernel: beyond this it would be read from memory, not from a cache.
constexpr int64_t kMostPackedBytes = int64_t{16} << 20;

class WinogradFixedConv final : public FixedConv {
 public:
  WinogradFixedConv(const FixedConvDesc& desc, Isa isa, const float* kernel, const float* bias, PackedWeights& packed)
      : desc_(desc.conv), activation_(desc.activation), kernels_(WinogradKernelsOf(isa)) {
    const int64_t threads = NumThreads();
    // Few rows: each thread reads the kernel of its own filters only.
    parts_ = desc_.n <= kSmallBatch && desc_.f % kWinogradPanel == 0 ? std::gcd(threads, desc_.f / kWinogradPanel) : 1;
    filters_ = desc_.f / parts_;
    fp_ = RoundUp(filters_, kernels_.lanes);
    cp_ = RoundUp(desc_.c, kernels_.lanes);
    plan_ = PlanWinograd(desc_.n, desc_.out_h(), desc_.out_w(), BlockTiles(threads / parts_), true);
    v_plane_ = WinogradPlane(plan_.max_count * cp_);
    m_plane_ = WinogradPlane(plan_.max_count * fp_);
    strip_floats_ = RoundUp(plan_.max_strip * cp_, kFloatsOfLine);
    scratch_floats_ = strip_floats_ + plan_.max_points() * (v_plane_ + m_plane_);
    threads_ = threads;
    bias_.assign(static_cast<size_t>(desc_.f), 0.0f);
    if (bias != nullptr) std::copy_n(bias, desc_.f, bias_.begin());
    packed_ = packed.FindOrMake(
        kernel, fmt::format("winograd {} {}x{} / {}", NameOf(isa), desc_.out_h(), desc_.out_w(), parts_),
        [&] { return Pack(kernel); });
  }

  size_t workspace_bytes() const override { return static_cast<size_t>(threads_ * scratch_floats_) * sizeof(float); }

  void Run(const void* x, void* y, void* workspace) const override {
    const auto items = static_cast<int64_t>(plan_.items.size());
    ParallelDynamic(items * parts_, [&](int64_t index, int thread) {
      RunBlock(plan_.items[static_cast<size_t>(index / parts_)], index % parts_, x, y,
               static_cast<float*>(workspace) + thread * scratch_floats_);
    });
  }

 private:
  // Small enough that every thread that shares the rows has a block.
  int64_t BlockTiles(int64_t threads) const {
    const int64_t tiles = desc_.n * ((desc_.out_h() + 3) / 4) * ((desc_.out_w() + 3) / 4);
    return std::clamp<int64_t>((tiles + threads - 1) / threads, 1, kWinogradMostTiles);
  }

  int64_t part_floats() const { return plan_.total_points() * desc_.c * fp_; }
  const float* KernelOf(int tiles, int64_t part) const {
    return static_cast<const float*>(packed_.get()) + part * part_floats() +
           plan_.points_before(static_cast<size_t>(tiles)) * desc_.c * fp_;
  }

  // [part][points][c][fp], what WinogradKernels::multiply reads.
  std::shared_ptr<const void> Pack(const float* kernel) const {
    const auto tensor = std::make_shared<Tensor>(DType::kFloat32, Shape{parts_ * part_floats()});
    float* u = tensor->data<float>();
    for (int64_t part = 0; part < parts_; ++part) {
      for (const WinogradTiles& tiles : plan_.tiles) {
        kernels_.transform_kernel(tiles, desc_.c, filters_, fp_, kernel + part * filters_, desc_.f, 0, desc_.c, u);
        u += tiles.points() * desc_.c * fp_;
      }
    }
    return {tensor, tensor->data<float>()};
  }

  void RunBlock(const WinogradPlan::Item& item, int64_t part, const void* x, void* y, float* strip) const {
    const WinogradTiles& tiles = plan_.tiles[static_cast<size_t>(item.tiles)];
    float* const v = strip + strip_floats_;
    float* const m = v + plan_.max_points() * v_plane_;
    kernels_.transform_input(InputOf(x), tiles, item.block, strip, v, v_plane_);
    kernels_.multiply(tiles.points(), item.block.count(), desc_.c, fp_, v, cp_, v_plane_, KernelOf(item.tiles, part), m,
                      m_plane_);
    kernels_.transform_output(OutputOf(y, part * filters_), tiles, item.block, m, m_plane_);
  }

  WinogradInput InputOf(const void* x) const {
    WinogradInput in;
    in.data = x;
    in.h = desc_.h;
    in.w = desc_.w;
    in.c = in.c_end = desc_.c;
    in.pad_top = desc_.pad_top;
    in.pad_left = desc_.pad_left;
    return in;
  }

  WinogradOutput OutputOf(void* y, int64_t first_filter) const {
    WinogradOutput out;
    out.data = static_cast<float*>(y) + first_filter;
    out.h = desc_.out_h();
    out.w = desc_.out_w();
    out.f = filters_;
    out.pitch = desc_.f;
    out.bias = bias_.data() + first_filter;
    out.relu = activation_ != PostActivation::kNone;
    out.top = activation_ == PostActivation::kRelu6 ? 6.0f : INFINITY;
    return out;
  }

  Conv2DDesc desc_;
  PostActivation activation_;
  const WinogradKernels& kernels_;
  WinogradPlan plan_;
  int64_t threads_, parts_, filters_, fp_, cp_, v_plane_, m_plane_, strip_floats_, scratch_floats_;
  std::vector<float> bias_;
  std::shared_ptr<const void> packed_;  // floats
};

}  // namespace

std::unique_ptr<FixedConv> MakeWinogradFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                                 PackedWeights& packed, Isa isa) {
  const Conv2DDesc& d = desc.conv;
  if (!WinogradSupports(d) || d.dtype != DType::kFloat32 || desc.groups != 1) return nullptr;
  if (d.c < kFewestChannels || d.f < kFewestChannels || d.out_h() < 2 || d.out_w() < 2) return nullptr;
  const int64_t points = PlanWinograd(1, d.out_h(), d.out_w(), kWinogradMostTiles, true).total_points();
  if (points * d.c * RoundUp(d.f, WinogradKernelsOf(isa).lanes) * 4 > kMostPackedBytes) return nullptr;
  return std::make_unique<WinogradFixedConv>(desc, isa, kernel, bias, packed);
}

}  // namespace headrace::tensor
