#include <algorithm>
#include <numeric>

#include "tensor/isa/winograd_kernels.h"
#include "tensor/parallel.h"
#include "tensor/winograd.h"
#include "tensor/winograd_plan.h"

namespace headrace::tensor {
namespace {

constexpr int64_t kPoints = 36;

class WinogradSmallBatchForward final : public ConvForward {
 public:
  WinogradSmallBatchForward(const Conv2DDesc& desc, Isa isa) : desc_(desc), kernels_(WinogradKernelsOf(isa)) {
    // Tiles of one size only: others would need a transformed kernel of their own.
    tiles_ = {4, 4, 0, 0, (desc.out_h() + 3) / 4, (desc.out_w() + 3) / 4};
    const int64_t threads = NumThreads(), panels = desc.f % kWinogradPanel == 0 ? desc.f / kWinogradPanel : 1;
    filter_parts_ = std::gcd(threads, panels);
    row_parts_ = threads / filter_parts_;
    filters_ = desc.f / filter_parts_;
    fp_ = RoundUp(filters_, kernels_.lanes);
    cp_ = RoundUp(desc.c, kernels_.lanes);
    block_rows_ = std::clamp<int64_t>(kWinogradMostTiles / tiles_.cols, 1, (rows() + row_parts_ - 1) / row_parts_);
    block_cols_ = std::min(tiles_.cols, kWinogradMostTiles);
    u_floats_ = RoundUp(kPoints * desc.c * fp_, kFloatsOfLine);
    strip_floats_ = RoundUp(6 * (block_cols_ * 4 + 2) * cp_, kFloatsOfLine);
    v_plane_ = WinogradPlane(block_rows_ * block_cols_ * cp_);
    m_plane_ = WinogradPlane(block_rows_ * block_cols_ * fp_);
  }

  std::string name() const override { return "winograd_f4_small_batch"; }
  size_t workspace_bytes() const override { return filter_parts_ * row_parts_ * thread_floats() * sizeof(float); }
  bool direct() const override { return false; }
  bool fuses_input() const override { return true; }

  void Run(const Args& args) const override {
    ParallelRanges(filter_parts_ * row_parts_, [&](int64_t begin, int64_t end, int) {
      for (int64_t part = begin; part < end; ++part)
        RunPart(args, part % filter_parts_ * filters_, part / filter_parts_,
                static_cast<float*>(args.workspace) + part * thread_floats());
    });
  }

 private:
  int64_t rows() const { return desc_.n * tiles_.rows; }
  int64_t thread_floats() const { return u_floats_ + strip_floats_ + kPoints * (v_plane_ + m_plane_); }

  WinogradInput InputOf(const Args& args) const {
    WinogradInput in;
    in.data = args.x;
    in.bf16 = desc_.dtype == DType::kBFloat16;
    in.h = desc_.h;
    in.w = desc_.w;
    in.c = in.c_end = desc_.c;
    in.pad_top = desc_.pad_top;
    in.pad_left = desc_.pad_left;
    if (args.input != nullptr) {
      in.scale = args.input->scale;
      in.shift = args.input->shift;
      in.relu = args.input->relu;
    }
    return in;
  }

  WinogradOutput OutputOf(const Args& args, int64_t first_filter) const {
    WinogradOutput out;
    out.bf16 = desc_.dtype == DType::kBFloat16;
    out.data = static_cast<char*>(args.y) + first_filter * static_cast<int64_t>(SizeOf(desc_.dtype));
    out.h = desc_.out_h();
    out.w = desc_.out_w();
    out.f = filters_;
    out.pitch = desc_.f;
    out.bias = args.bias != nullptr ? args.bias + first_filter : nullptr;
    return out;
  }

  void RunPart(const Args& args, int64_t first_filter, int64_t row_part, float* u) const {
    const int64_t row_begin = rows() * row_part / row_parts_, row_end = rows() * (row_part + 1) / row_parts_;
    if (row_begin == row_end) return;
    float* const strip = u + u_floats_;
    float* const v = strip + strip_floats_;
    float* const m = v + kPoints * v_plane_;
    const WinogradInput in = InputOf(args);
    const WinogradOutput out = OutputOf(args, first_filter);
    kernels_.transform_kernel(tiles_, desc_.c, filters_, fp_, args.kernel + first_filter, desc_.f, 0, desc_.c, u);
    for (int64_t row = row_begin; row < row_end; row += block_rows_) {
      for (int64_t col = 0; col < tiles_.cols; col += block_cols_) {
        const TileBlock block = {row, std::min(row + block_rows_, row_end), col,
                                 std::min(col + block_cols_, tiles_.cols)};
        kernels_.transform_input(in, tiles_, block, strip, v, v_plane_);
        kernels_.multiply(kPoints, block.count(), desc_.c, fp_, v, cp_, v_plane_, u, m, m_plane_);
        kernels_.transform_output(out, tiles_, block, m, m_plane_);
      }
    }
  }

  Conv2DDesc desc_;
  const WinogradKernels& kernels_;
  WinogradTiles tiles_;
  int64_t filter_parts_, row_parts_, filters_, fp_, cp_, block_rows_, block_cols_;
  int64_t u_floats_, strip_floats_, v_plane_, m_plane_;
};

}  // namespace

std::unique_ptr<ConvForward> MakeWinogradSmallBatchForward(const Conv2DDesc& desc, Isa isa) {
  if (!WinogradSupports(desc) || desc.n > kSmallBatch) return nullptr;
  return std::make_unique<WinogradSmallBatchForward>(desc, isa);
}

}  // namespace headrace::tensor
