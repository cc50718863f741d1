// direct_conv_kernels.h: what tensor/direct_conv.cc asks of each instruction set. Plain data and function pointers
// only.
//
// The kw * c elements that one output needs of one input row are contiguous in NHWC, and so are the filters of one of
// them in HWIO: each row of the kernel is a product of a band of the (zero padded) input, outputs stride_w * c elements
// apart, and of the weights where they lie.
#pragma once

#include <cstdint>

namespace headrace::tensor {

struct DirectConvShape {
  int64_t h, w, c, kh, kw, f, fp;  // fp: f rounded up to the vector
  int64_t stride_h, stride_w, pad_top, pad_left, out_h, out_w;
  bool bf16;
  int64_t row() const { return kw * c; }                                    // elements of a kernel row
  int64_t padded_row() const { return ((out_w - 1) * stride_w + kw) * c; }  // elements of an input row that are used
};

struct DirectConvInput {
  const void* data = nullptr;    // x [n, h, w, c]
  const float* scale = nullptr;  // [c] or null: ChannelAffine
  const float* shift = nullptr;
  bool relu = false;
};

// Output rows [row_begin, row_end) of one image; going forward, of the filters [f_begin, f_end), whole panels.
struct DirectConvBlock {
  int64_t image, row_begin, row_end, f_begin, f_end;
};

struct DirectConvKernels {
  int lanes;  // floats in a vector
  int panel;  // columns of a panel (gemm_tile.h)
  // The input rows of the block, transformed, widened and zero padded. padded: ((rows - 1) * stride_h + kh) *
  // padded_row() floats.
  void (*pad)(const DirectConvShape& shape, const DirectConvInput& in, const DirectConvBlock& block, float* padded);
  // padded: as `pad` left it. kernel: [kh * row(), fp]. sums: as in WinogradOutput, or null.
  void (*forward)(const DirectConvShape& shape, const DirectConvBlock& block, const float* kernel, const float* bias,
                  void* y, const float* padded, float* sums);
  // Stores kh matrices [row(), fp] in panels to dg, and to sums [fp] the sums of dy, or null. band: scratch of
  // out_w * fp floats.
  void (*backward_weights)(const DirectConvShape& shape, const DirectConvInput& in, const DirectConvBlock& block,
                           const void* dy, float* padded, float* band, float* dg, float* sums);
};

namespace portable {
const DirectConvKernels& GetDirectConvKernels();
}
namespace avx2 {
const DirectConvKernels& GetDirectConvKernels();
}
namespace avx512 {
const DirectConvKernels& GetDirectConvKernels();
}

}  // namespace headrace::tensor
