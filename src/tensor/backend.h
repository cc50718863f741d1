// The seam between the execution plan and what computes it. A back end is a folder beside this file: `onednn` (oneDNN
// and our own vector kernels), `reference` (plain loops, the oracle of the tests); nothing above knows which one runs.
//
// Conventions for every kernel:
// - Activations and their gradients are [n, h, w, c] row-major, of `dtype` float32 or bfloat16. Parameters, their
//   gradients, statistics and losses are float32. Kernels are HWIO [kh, kw, c, f]; dense kernels [in, out].
// - Descriptions are checked once, when the plan is compiled. Running allocates nothing and checks nothing.
// - Pointers are 64-byte aligned, must not overlap unless a comment says so, and are borrowed for the call.
// - One caller at a time; a kernel uses all threads of tensor/parallel.h and is deterministic for their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "headrace/tensor.h"

#include "tensor/update.h"

namespace headrace::tensor {

struct Conv2DDesc {
  int64_t n = 0, h = 0, w = 0, c = 0;  // input
  int64_t kh = 0, kw = 0, f = 0;       // kernel and filters
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  DType dtype = DType::kFloat32;
  int64_t out_h() const { return (h + pad_top + pad_bottom - ((kh - 1) * dilation_h + 1)) / stride_h + 1; }
  int64_t out_w() const { return (w + pad_left + pad_right - ((kw - 1) * dilation_w + 1)) / stride_w + 1; }
  double flops() const { return 2.0 * n * out_h() * out_w() * f * kh * kw * c; }  // of one pass
};

// max(x * scale[c] + shift[c], 0) with relu, x * scale[c] + shift[c] without: a BatchNormalization and ReLU that the
// consumer applies while it loads. Padding is zero after the transform.
struct ChannelAffine {
  const float* scale = nullptr;  // [c]
  const float* shift = nullptr;  // [c]
  bool relu = false;
};

// Mean and biased variance of each channel over all other axes.
struct ChannelMoments {
  float* mean = nullptr;      // [c]
  float* variance = nullptr;  // [c]
};

// One way to compute one pass of one convolution. workspace_bytes() may be shared by all kernels of a plan.
class ConvKernel {
 public:
  virtual ~ConvKernel() = default;
  virtual std::string name() const = 0;  // "onednn_direct", "winograd_f4"; recorded in checkpoints
  virtual size_t workspace_bytes() const = 0;
  // False for algorithms with a larger rounding error than a plain sum (Winograd); their bound is in docs/numerics.md.
  virtual bool direct() const = 0;
};

class ConvForward : public ConvKernel {
 public:
  struct Args {
    const void* x = nullptr;
    const float* kernel = nullptr;
    const float* bias = nullptr;              // [f] or null
    void* y = nullptr;                        // [n, out_h, out_w, f]
    const ChannelAffine* input = nullptr;     // null: x as it is. Only when fuses_input()
    const ChannelMoments* moments = nullptr;  // null: not wanted. Of y. Only when fuses_moments()
    void* workspace = nullptr;
  };
  virtual bool fuses_input() const { return false; }
  virtual bool fuses_moments() const { return false; }
  virtual void Run(const Args& args) const = 0;
};

class ConvBackwardData : public ConvKernel {
 public:
  struct Args {
    const void* dy = nullptr;
    const float* kernel = nullptr;
    void* dx = nullptr;
    void* workspace = nullptr;
  };
  virtual void Run(const Args& args) const = 0;
};

class ConvBackwardWeights : public ConvKernel {
 public:
  struct Args {
    const void* x = nullptr;
    const ChannelAffine* input = nullptr;  // as in ConvForward
    const void* dy = nullptr;
    float* dkernel = nullptr;  // overwritten
    float* dbias = nullptr;    // [f], overwritten, or null
    void* workspace = nullptr;
  };
  virtual bool fuses_input() const { return false; }
  virtual void Run(const Args& args) const = 0;
};

// y = x * kernel + bias on [rows, in] and [in, out].
struct DenseDesc {
  int64_t rows = 0, in = 0, out = 0;
  DType dtype = DType::kFloat32;
};

enum class Activation : uint8_t { kLinear, kRelu, kSigmoid, kTanh, kElu, kGelu, kSwish, kSoftmax };

// Uniform random 32-bit words for dropout: a pure function of key and element index, so that the backward pass
// draws the mask again instead of storing it. The element is dropped when its word < rate * 2^32.
//   word = mix(index * 0x9E3779B9 + key), mix the finalizer of MurmurHash3 (x ^= x>>16; x *= 0x85EBCA6B;
//   x ^= x>>13; x *= 0xC2B2AE35; x ^= x>>16), all modulo 2^32; key comes from the seed, the layer and the step.
struct DropoutDraw {
  float rate = 0;  // 0: nothing is dropped; kept elements are multiplied by 1 / (1 - rate)
  uint32_t key = 0;
};

// What follows a matrix operation, in this order, each part optional: BatchNormalization, ReLU, MaxPooling2D with
// strides equal to its window and no padding (rows and columns that fill no window are left out), Dropout.
struct EpilogueDesc {
  int64_t n = 0, h = 0, w = 0, c = 0;  // input; a matrix is [n, 1, 1, c]
  bool batch_norm = false;             // without it, scale, shift and the sums are not read or written
  bool relu = false;
  int64_t pool_h = 1, pool_w = 1;
  DType dtype = DType::kFloat32;
  int64_t out_h() const { return h / pool_h; }
  int64_t out_w() const { return w / pool_w; }
};

struct EpilogueForwardArgs {
  const void* x = nullptr;
  const float* scale = nullptr;  // [c] gamma / sqrt(variance + epsilon)
  const float* shift = nullptr;  // [c] beta - mean * scale
  DropoutDraw dropout;           // over the elements of y
  void* y = nullptr;             // [n, out_h, out_w, c]; may be x when nothing is pooled
};

// g below is the gradient just behind BatchNormalization: dy through dropout, the first maximum of each pooling
// window, and ReLU (zero where the activation is not positive); all recomputed from x.
struct EpilogueBackwardArgs {
  const void* x = nullptr;
  const void* dy = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* mean = nullptr;  // [c] batch mean
  const float* rstd = nullptr;  // [c] 1 / sqrt(batch variance + epsilon)
  DropoutDraw dropout;
  float* dgamma = nullptr;  // [c] sum of g * (x - mean) * rstd, written by EpilogueBackwardSums
  float* dbeta = nullptr;   // [c] sum of g
  void* dx = nullptr;       // scale * (g - dbeta / N - (x - mean) * rstd * dgamma / N), N = n h w; g without
                            // batch_norm. May be dy when nothing is pooled.
};

struct Pool2DDesc {
  int64_t n = 0, h = 0, w = 0, c = 0;
  int64_t pool_h = 2, pool_w = 2, stride_h = 2, stride_w = 2;
  int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;  // padding never wins
  DType dtype = DType::kFloat32;
  int64_t out_h() const { return (h + pad_top + pad_bottom - pool_h) / stride_h + 1; }
  int64_t out_w() const { return (w + pad_left + pad_right - pool_w) / stride_w + 1; }
};

// ---- convolutions of inference

// What a convolution with fixed weights applies to its result before it is stored.
enum class PostActivation : uint8_t { kNone, kRelu, kRelu6 };

// A convolution whose kernel and bias never change. With `groups`, filter f reads the c / groups channels of group
// f / (filters / groups); kernels are [kh, kw, c / groups, f]. A depthwise one has as many groups as channels.
struct FixedConvDesc {
  Conv2DDesc conv;
  int64_t groups = 1;
  PostActivation activation = PostActivation::kNone;
};

class FixedConv {
 public:
  virtual ~FixedConv() = default;
  virtual size_t workspace_bytes() const = 0;
  virtual void Run(const void* x, void* y, void* workspace) const = 0;
};

// Weights in the formats that kernels like, shared by the plans of one model. Safe to use from several threads.
class PackedWeights {
 public:
  using Make = std::function<std::shared_ptr<const void>()>;
  // `source` and `format` name the packed form; it is made once.
  std::shared_ptr<const void> FindOrMake(const void* source, const std::string& format, const Make& make);

 private:
  std::mutex mutex_;
  std::map<std::pair<const void*, std::string>, std::shared_ptr<const void>> packed_;
};

// ---- operations that any graph may have

// y = f(x), element by element.
enum class Pointwise : uint8_t {
  kRelu6,
  kLeakyRelu,  // alpha: the slope below zero
  kSelu,
  kSoftplus,
  kSoftsign,
  kExp,
  kLog,
  kSquare,
  kSqrt,
  kRsqrt,
  kNeg,
  kAbs,
  kErf,
  kExpm1,
  kLog1p,
  kReciprocal,
  kTruncate,  // towards zero
  kSign,      // -1, 0 or 1
  kSin,
  kCos,
  kFloor,
  kCeil,
  kRound,  // halves to the even one
};

enum class Binary : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMaximum,
  kMinimum,
  kSquaredDifference,
  kPower,
  kEqual,  // this and below: 1 where it holds, else 0
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

// y = a op b; along each axis of the result an operand's dimension is the result's, or 1 and repeated.
struct BinaryDesc {
  Binary kind = Binary::kAdd;
  Shape a, b, out;  // of equal rank
  DType dtype = DType::kFloat32;
};

// y = condition != 0 ? a : b, repeated as in BinaryDesc.
struct SelectDesc {
  Shape condition, a, b, out;  // of equal rank
  DType dtype = DType::kFloat32;
};

enum class Reduction : uint8_t { kMean, kSum, kMaximum, kMinimum };

struct ReduceDesc {
  Reduction kind = Reduction::kMean;
  Shape in;
  std::vector<bool> reduced;  // by axis; the others make the result, in their order
  DType dtype = DType::kFloat32;
};

// y[i, …] = x[begin + i * step, …] along each axis.
struct SliceDesc {
  Shape in, out;  // of equal rank
  std::vector<int64_t> begins, steps;
  DType dtype = DType::kFloat32;
};

enum class Resampling : uint8_t { kNearest, kBilinear };

// Rows and columns of [n, h, w, c] resampled. Row y of the result lies at (y + 0.5) * h / out_h - 0.5 with half_pixels,
// at y * (h - 1) / (out_h - 1) with aligned corners, else at y * h / out_h; kNearest takes the row at or above that,
// with half_pixels the one whose middle is nearest.
struct ResizeDesc {
  int64_t n = 0, h = 0, w = 0, c = 0, out_h = 0, out_w = 0;
  Resampling resampling = Resampling::kNearest;
  bool half_pixels = false, aligned_corners = false;
  DType dtype = DType::kFloat32;
};

// y[..., m, n] = a[..., m, k] * b[..., k, n] for each index of the leading axes, along which a dimension of 1 repeats.
struct MatMulDesc {
  Shape batch_a, batch_b, batch;  // the leading axes of a, b and y, of equal rank
  int64_t m = 0, k = 0, n = 0;
  bool transpose_a = false, transpose_b = false;  // a lies as [..., k, m], b as [..., n, k]
  DType dtype = DType::kFloat32;
};

// Rows of a table by their numbers, which are float32, bfloat16 or int64.
struct GatherDesc {
  int64_t count = 0, rows = 0, width = 0;  // numbers; the table's rows and their length
  DType indices = DType::kFloat32;
  DType dtype = DType::kFloat32;  // of what is gathered; the table is float32
};

enum class Labels : uint8_t {
  kOneHot,  // float32 [rows, classes], rows of probabilities
  kSparse,  // int64 [rows]
};

struct CrossentropyArgs {
  int64_t rows = 0, classes = 0;
  bool from_logits = true;    // else `scores` are probabilities, divided by their sum and clipped to
                              // [1e-7, 1 - 1e-7] for one-hot labels, clipped only for sparse ones
  float label_smoothing = 0;  // t * (1 - a) + a / classes; one-hot only
  Labels labels = Labels::kOneHot;
  DType dtype = DType::kFloat32;  // of scores and dscores
  const void* scores = nullptr;   // [rows, classes]
  const void* targets = nullptr;
  // The gradient by scores of the sum over rows of row_gradients[row] * losses[row], or null.
  void* dscores = nullptr;
  const float* row_gradients = nullptr;  // [rows]; null: 1 / rows each, the gradient of the mean
  float* losses = nullptr;               // [rows] or null
};

// An optimizer's update of `count` contiguous parameters (Keras's formulas, stated in headrace/keras.h).
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  // "onednn 2.6.3, avx512": names what decides the bits of a result, beside the algorithms chosen.
  virtual std::string description() const = 0;

  // Every implementation that can run `desc`, best guess first, never empty. The plan picks one by measuring.
  virtual std::vector<std::unique_ptr<ConvForward>> ConvForwards(const Conv2DDesc& desc) const = 0;
  virtual std::vector<std::unique_ptr<ConvBackwardData>> ConvBackwardDatas(const Conv2DDesc& desc) const = 0;
  virtual std::vector<std::unique_ptr<ConvBackwardWeights>> ConvBackwardWeightss(const Conv2DDesc& desc) const = 0;

  virtual size_t DenseWorkspaceBytes(const DenseDesc& desc) const = 0;
  virtual void DenseForward(const DenseDesc& desc, const void* x, const float* kernel, const float* bias, void* y,
                            void* workspace) const = 0;
  virtual void DenseBackwardData(const DenseDesc& desc, const void* dy, const float* kernel, void* dx,
                                 void* workspace) const = 0;
  virtual void DenseBackwardWeights(const DenseDesc& desc, const void* x, const void* dy, float* dkernel, float* dbias,
                                    void* workspace) const = 0;

  // Mean and biased variance of each of c channels over `rows` rows of [rows, c].
  virtual void Moments(int64_t rows, int64_t c, DType dtype, const void* x, const ChannelMoments& moments) const = 0;
  virtual void EpilogueForward(const EpilogueDesc& desc, const EpilogueForwardArgs& args) const = 0;
  virtual void EpilogueBackwardSums(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const = 0;
  virtual void EpilogueBackward(const EpilogueDesc& desc, const EpilogueBackwardArgs& args) const = 0;

  // Softmax runs over the last axis: rows of c. Others are element-wise over rows * c. dx may be dy, y may be x.
  virtual void ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                                 void* y) const = 0;
  // x: the input, y: the output of the forward pass; each activation reads the one it needs.
  virtual void ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x,
                                  const void* y, const void* dy, void* dx) const = 0;

  virtual void MaxPoolForward(const Pool2DDesc& desc, const void* x, void* y) const = 0;
  virtual void MaxPoolBackward(const Pool2DDesc& desc, const void* x, const void* dy,
                               void* dx) const = 0;  // first maximum
  virtual void GlobalAveragePoolForward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* x,
                                        void* y) const = 0;
  virtual void GlobalAveragePoolBackward(int64_t n, int64_t hw, int64_t c, DType dtype, const void* dy,
                                         void* dx) const = 0;
  // out = a + b, element-wise; out may be a or b.
  virtual void Add(int64_t count, DType dtype, const void* a, const void* b, void* out) const = 0;
  // Zero border around [n, h, w, c]; the backward pass cuts it off again.
  virtual void PadForward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left,
                          int64_t right, DType dtype, const void* x, void* y) const = 0;
  virtual void PadBackward(int64_t n, int64_t h, int64_t w, int64_t c, int64_t top, int64_t bottom, int64_t left,
                           int64_t right, DType dtype, const void* dy, void* dx) const = 0;
  // out = (to) in; uint8, float32, bfloat16 in; float32, bfloat16 out.
  virtual void Convert(int64_t count, DType from, const void* in, DType to, void* out) const = 0;
  // out[c] = sum over rows of x[rows, c].
  virtual void SumRows(int64_t rows, int64_t c, DType dtype, const void* x, float* out) const = 0;

  // Those with a body are plain parallel loops (inference_kernels.cc, shape_kernels.cc, matrix_kernels.cc).
  // Inference only. kernel, bias (or null): as FixedConvDesc says; copies are made, in `packed` where the back end
  // packs them.
  virtual std::unique_ptr<FixedConv> MakeFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                                   PackedWeights& packed) const;
  virtual void AveragePool(const Pool2DDesc& desc, const void* x, void* y) const;  // over the cells inside the image
  // In this and in ApplyBinary y may be an operand of the result's shape.
  virtual void ApplyPointwise(Pointwise kind, float alpha, int64_t count, DType dtype, const void* x, void* y) const;
  virtual void ApplyBinary(const BinaryDesc& desc, const void* a, const void* b, void* y) const;
  // Rows of `widths[i]` elements of each part, side by side.
  virtual void Concat(int64_t rows, const std::vector<int64_t>& widths, DType dtype, const std::vector<void*>& parts,
                      void* y) const;
  // y[..., i_k, ...] = x with its axes in the order `axes`; `shape` is x's.
  virtual void Transpose(const Shape& shape, const std::vector<int64_t>& axes, DType dtype, const void* x,
                         void* y) const;

  virtual void Select(const SelectDesc& desc, const void* condition, const void* a, const void* b, void* y) const;
  virtual void Reduce(const ReduceDesc& desc, const void* x, void* y) const;
  // y[row] = the number of the first largest element of x[row], [rows, c]; float32 [rows].
  virtual void ArgMax(int64_t rows, int64_t c, DType dtype, const void* x, void* y) const;
  virtual void Slice(const SliceDesc& desc, const void* x, void* y) const;
  // x, `multiples` times along each axis.
  virtual void Tile(const Shape& shape, const std::vector<int64_t>& multiples, DType dtype, const void* x,
                    void* y) const;
  virtual void Resize(const ResizeDesc& desc, const void* x, void* y) const;
  // [n, h, w, c] with stride - 1 zeros between neighbours: [n, (h - 1) * stride_h + 1, (w - 1) * stride_w + 1, c].
  virtual void Spread(int64_t n, int64_t h, int64_t w, int64_t c, int64_t stride_h, int64_t stride_w, DType dtype,
                      const void* x, void* y) const;
  // y of shape desc.in: what Slice would read is x, everything else 0.
  virtual void Unslice(const SliceDesc& desc, const void* x, void* y) const;
  // y[i] = table[indices[i]]; zeros for numbers outside of the table.
  virtual void Gather(const GatherDesc& desc, const float* table, const void* indices, void* y) const;
  // table[row] = the sum of the rows of dy whose number is `row`.
  virtual void ScatterSum(const GatherDesc& desc, const void* indices, const void* dy, float* table) const;

  virtual size_t MatMulWorkspaceBytes(const MatMulDesc& desc) const;
  virtual void MatMul(const MatMulDesc& desc, const void* a, const void* b, void* y, void* workspace) const;

  virtual void Crossentropy(const CrossentropyArgs& args) const = 0;
  virtual void Update(const UpdateArgs& args) const = 0;
  // Of float32 numbers, in double precision.
  virtual double SumOfSquares(int64_t count, const float* x) const = 0;
};

// The processor back end for training and serving; the best instruction set found at run time, or the one named by
// HEADRACE_ISA (portable, avx2, avx512).
std::unique_ptr<Backend> MakeOneDnnBackend();
// Plain loops in the order of the formulas, one thread.
std::unique_ptr<Backend> MakeReferenceBackend();

}  // namespace headrace::tensor
