#include "tensor/direct_conv.h"

#include <algorithm>

#include "tensor/isa/direct_conv_kernels.h"
#include "tensor/moment_merge.h"
#include "tensor/parallel.h"
#include "tensor/tiling.h"

namespace headrace::tensor {
namespace {

constexpr int64_t kMaxKernelRow = 64;
constexpr int64_t kBlockOutputs = 1024;  // outputs a block of work has at least, or an image

const DirectConvKernels& KernelsOf(Isa isa) {
  switch (isa) {
#ifdef HEADRACE_HAS_avx512
    case Isa::kAvx512:
      return avx512::GetDirectConvKernels();
#endif
#ifdef HEADRACE_HAS_avx2
    case Isa::kAvx2:
      return avx2::GetDirectConvKernels();
#endif
    default:
      break;
  }
  return portable::GetDirectConvKernels();
}

bool Supports(const Conv2DDesc& d) {
  const bool dtype = d.dtype == DType::kFloat32 || d.dtype == DType::kBFloat16;
  const bool sized = d.n > 0 && d.c > 0 && d.f > 0 && d.kh > 0 && d.kw > 0 && d.out_h() > 0 && d.out_w() > 0;
  return dtype && sized && d.dilation_h == 1 && d.dilation_w == 1;
}

bool Narrow(const Conv2DDesc& d) { return d.kw * d.c <= kMaxKernelRow; }

// What both passes share: the shape, and output rows in blocks of one image each; going forward, blocks are cut by
// filters, too, where there would be fewer than threads: each thread then finds its part of the kernel in its cache.
class DirectConv {
 public:
  DirectConv(const Conv2DDesc& d, Isa isa) : kernels(KernelsOf(isa)), n(d.n), threads(NumThreads()) {
    shape = {d.h,        d.w,        d.c,       d.kh,       d.kw,      d.f,       RoundUp(d.f, kernels.lanes),
             d.stride_h, d.stride_w, d.pad_top, d.pad_left, d.out_h(), d.out_w(), d.dtype == DType::kBFloat16};
    const int64_t rows = std::max<int64_t>(1, kBlockOutputs / shape.out_w);
    blocks_per_image = (shape.out_h + rows - 1) / rows;
    const int64_t panels = (shape.fp + kernels.panel - 1) / kernels.panel;
    if (blocks() < threads && panels % threads == 0) {
      filter_parts = threads;
    } else if (blocks() < threads) {
      blocks_per_image = std::min<int64_t>(shape.out_h, (threads + n - 1) / n);
    }
    part_filters = RoundUp((shape.fp + filter_parts - 1) / filter_parts, kernels.panel);
    const int64_t most = (shape.out_h + blocks_per_image - 1) / blocks_per_image;
    padded_floats = RoundUp(((most - 1) * d.stride_h + d.kh) * shape.padded_row(), kFloatsOfLine);
    kernel_floats = RoundUp(d.kh * shape.row() * shape.fp, kFloatsOfLine);
  }

  int64_t blocks() const { return n * blocks_per_image; }
  // With all filters.
  DirectConvBlock Block(int64_t index) const {
    const int64_t part = index % blocks_per_image;
    return {index / blocks_per_image, shape.out_h * part / blocks_per_image,
            shape.out_h * (part + 1) / blocks_per_image, 0, shape.fp};
  }
  DirectConvBlock Block(int64_t index, int64_t filter_part) const {
    DirectConvBlock block = Block(index);
    block.f_begin = filter_part * part_filters;
    block.f_end = std::min(block.f_begin + part_filters, shape.fp);
    return block;
  }
  static DirectConvInput Input(const void* x, const ChannelAffine* affine) {
    if (affine == nullptr) return {x, nullptr, nullptr, false};
    return {x, affine->scale, affine->shift, affine->relu};
  }

  const DirectConvKernels& kernels;
  DirectConvShape shape;
  int64_t n;
  int threads;
  int64_t filter_parts = 1, part_filters;
  int64_t blocks_per_image, padded_floats, kernel_floats;
};

class DirectForward final : public ConvForward {
 public:
  DirectForward(const Conv2DDesc& desc, Isa isa) : conv_(desc, isa), narrow_(Narrow(desc)) {}
  std::string name() const override { return narrow_ ? "direct_narrow" : "direct_small_batch"; }
  bool direct() const override { return true; }
  bool fuses_input() const override { return true; }
  bool fuses_moments() const override { return true; }
  size_t workspace_bytes() const override {
    return (kernel_floats() + conv_.blocks() * sums_floats() + conv_.threads * conv_.padded_floats) * sizeof(float);
  }

  void Run(const Args& args) const override {
    float* const space = static_cast<float*>(args.workspace);
    float* const sums = space + kernel_floats();
    float* const scratch = sums + conv_.blocks() * sums_floats();
    const float* const kernel = kernel_floats() == 0 ? args.kernel : WholeVectors(args.kernel, space);
    const DirectConvInput in = DirectConv::Input(args.x, args.input);
    const auto run = [&](int64_t index, int thread) {
      const int64_t rows = index / conv_.filter_parts;
      const DirectConvBlock block = conv_.Block(rows, index % conv_.filter_parts);
      float* const padded = scratch + thread * conv_.padded_floats;
      conv_.kernels.pad(conv_.shape, in, block, padded);
      conv_.kernels.forward(conv_.shape, block, kernel, args.bias, args.y, padded,
                            args.moments ? sums + rows * sums_floats() : nullptr);
    };
    const int64_t items = conv_.blocks() * conv_.filter_parts;
    if (items == conv_.threads) {  // the same item on the same thread each time: its weights are still in the cache
      ParallelRanges(items, [&](int64_t begin, int64_t end, int thread) {
        for (int64_t index = begin; index < end; ++index) run(index, thread);
      });
    } else {
      ParallelDynamic(items, run);
    }
    if (args.moments == nullptr) return;
    const auto count_of = [&](int64_t index) {
      const DirectConvBlock block = conv_.Block(index);
      return (block.row_end - block.row_begin) * conv_.shape.out_w;
    };
    MergeMoments(conv_.blocks(), count_of, conv_.shape.f, conv_.shape.fp, sums, *args.moments);
  }

 private:
  int64_t sums_floats() const { return 3 * conv_.shape.fp; }
  // Only kernels whose filters fill no whole number of vectors are copied.
  int64_t kernel_floats() const { return conv_.shape.f == conv_.shape.fp ? 0 : conv_.kernel_floats; }
  const float* WholeVectors(const float* kernel, float* to) const {
    const DirectConvShape& s = conv_.shape;
    for (int64_t k = 0; k < s.kh * s.row(); ++k) {
      std::copy_n(kernel + k * s.f, s.f, to + k * s.fp);
      std::fill_n(to + k * s.fp + s.f, s.fp - s.f, 0.0f);
    }
    return to;
  }

  DirectConv conv_;
  bool narrow_;
};

// Each block's gradient is a sum of its own, added to the total of a fixed range of blocks; those totals are added in
// their order. Short sums keep the rounding error of the long one small.
class DirectBackwardWeights final : public ConvBackwardWeights {
 public:
  DirectBackwardWeights(const Conv2DDesc& desc, Isa isa) : conv_(desc, isa) {
    band_floats_ = RoundUp(conv_.shape.out_w * conv_.shape.fp, kFloatsOfLine);
    part_floats_ = conv_.kernel_floats + RoundUp(conv_.shape.fp, kFloatsOfLine);
    ranges_ = std::min<int64_t>(conv_.threads, conv_.blocks());
  }
  std::string name() const override { return "direct_narrow"; }
  bool direct() const override { return true; }
  bool fuses_input() const override { return true; }
  size_t workspace_bytes() const override { return ranges_ * range_floats() * sizeof(float); }

  void Run(const Args& args) const override {
    float* const ranges = static_cast<float*>(args.workspace);
    ParallelDynamic(ranges_, [&](int64_t range, int) { RunRange(args, range, ranges + range * range_floats()); });
    for (int64_t r = 1; r < ranges_; ++r) Add(ranges + r * range_floats(), ranges);
    Unpack(ranges, args.dkernel);
    if (args.dbias) std::copy_n(ranges + conv_.kernel_floats, conv_.shape.f, args.dbias);
  }

 private:
  // The total of a range, a block's part, the padded input and a row of dy. A total or part: kernel, then bias.
  int64_t range_floats() const { return 2 * part_floats_ + conv_.padded_floats + band_floats_; }

  void Add(const float* from, float* to) const {
    for (int64_t i = 0; i < part_floats_; ++i) to[i] += from[i];
  }

  void RunRange(const Args& args, int64_t range, float* total) const {
    float* const part = total + part_floats_;
    float* const padded = part + part_floats_;
    float* const band = padded + conv_.padded_floats;
    const DirectConvInput in = DirectConv::Input(args.x, args.input);
    std::fill_n(total, 2 * part_floats_, 0.0f);
    const int64_t end = conv_.blocks() * (range + 1) / ranges_;
    for (int64_t b = conv_.blocks() * range / ranges_; b < end; ++b) {
      conv_.kernels.backward_weights(conv_.shape, in, conv_.Block(b), args.dy, padded, band, part,
                                     args.dbias ? part + conv_.kernel_floats : nullptr);
      Add(part, total);
    }
  }

  void Unpack(const float* packed, float* dkernel) const {
    const DirectConvShape& s = conv_.shape;
    for (int64_t i = 0; i < s.kh; ++i) {
      for (int64_t f = 0; f < s.f; ++f) {
        const int64_t panel = f / conv_.kernels.panel * conv_.kernels.panel;
        const int64_t width = std::min<int64_t>(conv_.kernels.panel, s.fp - panel);
        const float* from = packed + i * s.row() * s.fp + panel * s.row() + (f - panel);
        for (int64_t k = 0; k < s.row(); ++k) dkernel[(i * s.row() + k) * s.f + f] = from[k * width];
      }
    }
  }

  DirectConv conv_;
  int64_t band_floats_, part_floats_, ranges_;
};

}  // namespace

std::unique_ptr<ConvForward> MakeDirectForward(const Conv2DDesc& desc, Isa isa) {
  if (!Supports(desc) || (!Narrow(desc) && desc.n > kSmallBatch)) return nullptr;
  return std::make_unique<DirectForward>(desc, isa);
}

std::unique_ptr<ConvBackwardWeights> MakeDirectBackwardWeights(const Conv2DDesc& desc, Isa isa) {
  if (!Supports(desc) || !Narrow(desc)) return nullptr;
  return std::make_unique<DirectBackwardWeights>(desc, isa);
}

}  // namespace headrace::tensor
