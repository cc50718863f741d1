// Vector kernels touch no byte behind their arrays: each array here ends where an unreadable page begins, so that a
// tail that reads or writes one lane too many ends the program. It finds what AddressSanitizer would, in any build.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/vector_kernels.h"

namespace headrace::tensor {
namespace {

// `bytes` zero bytes before an unreadable page.
class GuardedArray {
 public:
  explicit GuardedArray(int64_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t body = (static_cast<size_t>(bytes) + page - 1) / page * page;
    mapped_ = body + page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(base_, MAP_FAILED);
    EXPECT_EQ(mprotect(base_ + body, page, PROT_NONE), 0);
    data_ = base_ + body - bytes;
  }
  GuardedArray(const GuardedArray&) = delete;
  GuardedArray& operator=(const GuardedArray&) = delete;
  ~GuardedArray() { munmap(base_, mapped_); }
  void* data() { return data_; }

 private:
  size_t mapped_;
  char *base_, *data_;
};

class KernelBoundsTest : public ::testing::TestWithParam<Isa> {
 protected:
  void* Array(int64_t count, DType dtype) {
    arrays_.push_back(std::make_unique<GuardedArray>(count * static_cast<int64_t>(SizeOf(dtype))));
    return arrays_.back()->data();
  }
  float* Floats(int64_t count) { return static_cast<float*>(Array(count, DType::kFloat32)); }

  void Epilogues(int64_t c, int64_t pool, DType dtype) {
    const EpilogueDesc desc{.n = 2,
                            .h = 5,
                            .w = 5,
                            .c = c,
                            .batch_norm = true,
                            .relu = true,
                            .pool_h = pool,
                            .pool_w = pool,
                            .dtype = dtype};
    const int64_t in = 50 * c, out = 2 * desc.out_h() * desc.out_w() * c;
    const DropoutDraw dropout{0.3f, 1};
    float *scale = Floats(c), *shift = Floats(c);
    void *x = Array(in, dtype), *y = Array(out, dtype);
    kernels_.EpilogueForward(desc, {.x = x, .scale = scale, .shift = shift, .dropout = dropout, .y = y});
    const EpilogueBackwardArgs args{.x = x,
                                    .dy = y,
                                    .scale = scale,
                                    .shift = shift,
                                    .mean = Floats(c),
                                    .rstd = Floats(c),
                                    .dropout = dropout,
                                    .dgamma = Floats(c),
                                    .dbeta = Floats(c),
                                    .dx = Array(in, dtype)};
    kernels_.EpilogueBackwardSums(desc, args);
    kernels_.EpilogueBackward(desc, args);
    kernels_.Moments(50, c, dtype, x, {Floats(c), Floats(c)});
    kernels_.SumRows(50, c, dtype, x, Floats(c));
  }

  void Pools(int64_t c, DType dtype) {
    Pool2DDesc desc{.n = 2, .h = 5, .w = 4, .c = c, .pool_h = 3, .pool_w = 2, .stride_h = 2, .stride_w = 1};
    desc.pad_top = desc.pad_right = 1;
    desc.dtype = dtype;
    const int64_t in = 40 * c, out = 2 * desc.out_h() * desc.out_w() * c;
    void *x = Array(in, dtype), *y = Array(out, dtype), *mean = Array(2 * c, dtype);
    kernels_.MaxPoolForward(desc, x, y);
    kernels_.MaxPoolBackward(desc, x, y, Array(in, dtype));
    kernels_.GlobalAveragePoolForward(2, 20, c, dtype, x, mean);
    kernels_.GlobalAveragePoolBackward(2, 20, c, dtype, mean, Array(in, dtype));
    void* padded = Array(2 * 8 * 9 * c, dtype);
    kernels_.PadForward(2, 5, 4, c, 1, 2, 2, 3, dtype, x, padded);
    kernels_.PadBackward(2, 5, 4, c, 1, 2, 2, 3, dtype, padded, Array(in, dtype));
  }

  void Elements(int64_t count, DType dtype) {
    void *a = Array(count, dtype), *b = Array(count, dtype), *out = Array(count, dtype);
    kernels_.Add(count, dtype, a, b, out);
    kernels_.Convert(count, dtype, a, DType::kBFloat16, Array(count, DType::kBFloat16));
    kernels_.Convert(count, DType::kUInt8, Array(count, DType::kUInt8), dtype, out);
    for (Activation activation : {Activation::kLinear, Activation::kRelu, Activation::kSigmoid, Activation::kTanh,
                                  Activation::kElu, Activation::kGelu, Activation::kSwish, Activation::kSoftmax}) {
      kernels_.ActivationForward(activation, 1, count, dtype, a, b);
      kernels_.ActivationBackward(activation, 1, count, dtype, a, b, a, out);
    }
  }

  void Losses(int64_t classes, DType dtype) {
    for (int mode = 0; mode < 4; ++mode) {
      const bool sparse = mode % 2 == 1;
      CrossentropyArgs args{.rows = 3, .classes = classes, .from_logits = mode < 2, .dtype = dtype};
      args.labels = sparse ? Labels::kSparse : Labels::kOneHot;
      args.scores = Array(3 * classes, dtype);
      args.targets = sparse ? Array(3, DType::kInt64) : Array(3 * classes, DType::kFloat32);
      args.dscores = Array(3 * classes, dtype);
      args.losses = Floats(3);
      kernels_.Crossentropy(args);
    }
  }

  void Optimizers(int64_t count) {
    float *w = Floats(count), *g = Floats(count), *a = Floats(count), *b = Floats(count);
    for (const UpdateRule rule : {UpdateRule::kSgd, UpdateRule::kRmsprop, UpdateRule::kAdam, UpdateRule::kFtrl,
                                  UpdateRule::kLamb, UpdateRule::kAdafactor}) {
      UpdateArgs args{.rule = rule, .count = count, .w = w, .g = g, .slots = {a, b, Floats(count)}, .lr = 0.01f};
      args.average = Floats(count);
      kernels_.Update(args);
    }
    kernels_.SumOfSquares(count, g);
  }

  VectorKernels kernels_{GetParam()};
  std::vector<std::unique_ptr<GuardedArray>> arrays_;
};

TEST_P(KernelBoundsTest, NothingBehindTheArraysIsTouched) {
  for (DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (int64_t c : {1, 3, 5, 7, 8, 15, 16, 17, 31, 32, 33}) {
      for (int64_t pool : {1, 2, 3}) Epilogues(c, pool, dtype);
      Pools(c, dtype);
      Elements(c, dtype);
      Losses(c, dtype);
      Optimizers(c);
      arrays_.clear();
    }
    Elements(4096 + 17, dtype);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, KernelBoundsTest, ::testing::ValuesIn(RunnableIsas()),
                         [](const auto& info) { return std::string(NameOf(info.param)); });

}  // namespace
}  // namespace headrace::tensor
