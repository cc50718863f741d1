// How far the kernels between the matrix operations are from the speed of memory: bytes that a kernel must read and
// write a second, beside a plain copy by the same threads that moves as many bytes.
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "tensor/backend.h"
#include "tensor/cpu.h"
#include "tensor/parallel.h"
#include "tensor/vector_kernels.h"

namespace {

using headrace::DType;
using headrace::SizeOf;
using headrace::Tensor;
using namespace headrace::tensor;  // NOLINT(google-build-using-namespace): a program, not a header

struct Case {
  const char* name;
  EpilogueDesc desc;
  float rate;
};

// What follows the convolutions and the dense layer of the example CNN, at batch 256.
std::vector<Case> Cases(DType dtype) {
  std::vector<Case> cases = {
      {"32x32x32", {.n = 256, .h = 32, .w = 32, .c = 32}, 0},
      {"30x30x32_pool_dropout", {.n = 256, .h = 30, .w = 30, .c = 32, .pool_h = 2, .pool_w = 2}, 0.2f},
      {"15x15x64", {.n = 256, .h = 15, .w = 15, .c = 64}, 0},
      {"13x13x64_pool_dropout", {.n = 256, .h = 13, .w = 13, .c = 64, .pool_h = 2, .pool_w = 2}, 0.3f},
      {"6x6x128", {.n = 256, .h = 6, .w = 6, .c = 128}, 0},
      {"4x4x128_pool_dropout", {.n = 256, .h = 4, .w = 4, .c = 128, .pool_h = 2, .pool_w = 2}, 0.4f},
      {"512_dropout", {.n = 256, .h = 1, .w = 1, .c = 512}, 0.5f},
  };
  for (Case& c : cases) {
    c.desc.relu = true;
    c.desc.batch_norm = c.desc.c != 512;
    c.desc.dtype = dtype;
  }
  return cases;
}

class Problem {
 public:
  explicit Problem(const Case& c)
      : desc_(c.desc),
        dropout_{c.rate, 1},
        x_(Normal({desc_.n, desc_.h, desc_.w, desc_.c})),
        y_(Normal({desc_.n, desc_.out_h(), desc_.out_w(), desc_.c})),
        dx_(Normal({desc_.n, desc_.h, desc_.w, desc_.c})),
        channels_(8 * desc_.c, 0.5f) {}

  void Forward(const VectorKernels& kernels) {
    kernels.EpilogueForward(
        desc_, {.x = x_.raw(), .scale = Channel(0), .shift = Channel(1), .dropout = dropout_, .y = y_.raw()});
  }
  void BackwardSums(const VectorKernels& kernels) { kernels.EpilogueBackwardSums(desc_, Args()); }
  void Backward(const VectorKernels& kernels) { kernels.EpilogueBackward(desc_, Args()); }
  void Moments(const VectorKernels& kernels) {
    kernels.Moments(x_.size() / desc_.c, desc_.c, desc_.dtype, x_.raw(), {Channel(4), Channel(5)});
  }

  // A copy of x by the same threads: the floor that memory sets.
  void Copy(const VectorKernels& /*kernels*/) {
    const char* from = static_cast<const char*>(x_.raw());
    char* to = static_cast<char*>(dx_.raw());
    ParallelRanges(x_bytes(),
                   [=](int64_t begin, int64_t end, int) { std::memcpy(to + begin, from + begin, end - begin); });
  }

  int64_t x_bytes() const { return static_cast<int64_t>(x_.bytes()); }
  int64_t y_bytes() const { return static_cast<int64_t>(y_.bytes()); }

 private:
  // The kernels have no branch that depends on values, so a short pattern does, and is quickly made.
  Tensor Normal(headrace::Shape shape) const {
    std::vector<float> pattern(4099);
    std::mt19937 engine(1);
    std::normal_distribution<float> draw;
    std::generate(pattern.begin(), pattern.end(), [&] { return draw(engine); });
    Tensor tensor(DType::kFloat32, std::move(shape));
    float* values = tensor.data<float>();
    for (int64_t i = 0; i < tensor.size(); ++i) values[i] = pattern[i % 4099];
    return tensor.Cast(desc_.dtype);
  }
  float* Channel(int row) { return channels_.data() + row * desc_.c; }
  EpilogueBackwardArgs Args() {
    return {.x = x_.raw(),
            .dy = y_.raw(),
            .scale = Channel(0),
            .shift = Channel(1),
            .mean = Channel(2),
            .rstd = Channel(3),
            .dropout = dropout_,
            .dgamma = Channel(6),
            .dbeta = Channel(7),
            .dx = dx_.raw()};
  }

  EpilogueDesc desc_;
  DropoutDraw dropout_;
  Tensor x_, y_, dx_;
  std::vector<float> channels_;
};

// Enough problems of one kind that each is out of the caches when its turn comes again, as in a training step. Made
// when first measured and shared by all that measure it.
class Problems {
 public:
  explicit Problems(const Case& c) : case_(c) {}

  Problem& Next() {
    if (problems_.empty()) Make();
    next_ = (next_ + 1) % problems_.size();
    return problems_[next_];
  }

 private:
  static constexpr int64_t kBytes = int64_t{128} << 20;
  void Make() {
    problems_.emplace_back(case_);
    const int64_t one = 2 * problems_[0].x_bytes() + problems_[0].y_bytes();
    for (int64_t bytes = one; bytes < kBytes; bytes += one) problems_.emplace_back(case_);
  }

  Case case_;
  std::vector<Problem> problems_;
  size_t next_ = 0;
};

void Register(const std::string& name, const std::shared_ptr<Problems>& problems, int64_t bytes,
              const std::function<void(Problem&, const VectorKernels&)>& kernel) {
  const auto run = [=](benchmark::State& state) {
    const VectorKernels kernels(DetectIsa());
    problems->Next();
    for (auto _ : state) {
      kernel(problems->Next(), kernels);
      benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * bytes);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime();
}

void RegisterAll(DType dtype) {
  for (const Case& c : Cases(dtype)) {
    const std::string name = std::string(headrace::NameOf(dtype)) + "/" + c.name;
    const auto problems = std::make_shared<Problems>(c);
    const int64_t x = c.desc.n * c.desc.h * c.desc.w * c.desc.c * static_cast<int64_t>(SizeOf(dtype));
    const int64_t y = x / (c.desc.h * c.desc.w) * (c.desc.out_h() * c.desc.out_w());
    Register(name + "/copy", problems, 2 * x, &Problem::Copy);
    Register(name + "/moments", problems, x, &Problem::Moments);
    Register(name + "/forward", problems, x + y, &Problem::Forward);
    if (c.desc.batch_norm) Register(name + "/backward_sums", problems, x + y, &Problem::BackwardSums);
    Register(name + "/backward", problems, 2 * x + y, &Problem::Backward);
  }
}

}  // namespace

int main(int argc, char** argv) {
  RegisterAll(DType::kFloat32);
  RegisterAll(DType::kBFloat16);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
