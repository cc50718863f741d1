// The six convolutions of the CIFAR-10 network, three passes each, by our kernels and by oneDNN in one process.
//   bench_conv --benchmark_filter='conv2/'     GFLOP/s are those of the direct formula, also for Winograd.
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <dnnl.hpp>

#include "tensor/direct_conv.h"
#include "tensor/winograd.h"

namespace headrace::tensor {
namespace {

struct Layer {
  const char* name;
  int64_t size, c, f, pad;
};
constexpr Layer kLayers[] = {{"conv1", 32, 3, 32, 1},  {"conv2", 32, 32, 32, 0}, {"conv3", 15, 32, 64, 1},
                             {"conv4", 15, 64, 64, 0}, {"conv5", 6, 64, 128, 1}, {"conv6", 6, 128, 128, 0}};

int64_t BatchSize() {
  const char* value = std::getenv("HEADRACE_BENCH_BATCH");
  return value ? std::atoll(value) : 256;
}

Conv2DDesc DescOf(const Layer& layer, DType dtype) {
  Conv2DDesc d;
  d.n = BatchSize();
  d.h = d.w = layer.size;
  d.c = layer.c;
  d.f = layer.f;
  d.kh = d.kw = 3;
  d.pad_top = d.pad_bottom = d.pad_left = d.pad_right = layer.pad;
  d.dtype = dtype;
  return d;
}

// Aligned memory full of small random numbers: zeros and denormals would change what is measured.
class Block {
 public:
  Block(int64_t elements, DType dtype) {
    const size_t bytes = (elements * SizeOf(dtype) + 4095) / 4096 * 4096;
    data_.reset(std::aligned_alloc(4096, bytes));
    std::mt19937 random(7);
    const auto next = [&] { return static_cast<float>(random() >> 8) / (1 << 24) - 0.5f; };
    if (dtype == DType::kBFloat16) {
      for (int64_t i = 0; i < elements; ++i) {
        const float value = next();
        uint32_t bits;
        __builtin_memcpy(&bits, &value, 4);
        static_cast<uint16_t*>(data_.get())[i] = static_cast<uint16_t>(bits >> 16);
      }
    } else {
      for (size_t i = 0; i < bytes / 4; ++i) static_cast<float*>(data_.get())[i] = next();
    }
  }
  void* raw() { return data_.get(); }
  float* floats() { return static_cast<float*>(data_.get()); }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> data_;
};

struct Buffers {
  explicit Buffers(const Conv2DDesc& d, size_t workspace_bytes)
      : x(d.n * d.h * d.w * d.c, d.dtype),
        y(d.n * d.out_h() * d.out_w() * d.f, d.dtype),
        kernel(9 * d.c * d.f, DType::kFloat32),
        vectors(8 * (d.f + d.c), DType::kFloat32),
        workspace(static_cast<int64_t>(workspace_bytes / 4 + 16), DType::kFloat32) {}
  Block x, y, kernel, vectors, workspace;
};

void Measure(benchmark::State& state, const Conv2DDesc& desc, const std::function<void()>& run) {
  run();
  for (auto _ : state) run();
  state.counters["GFLOP/s"] = benchmark::Counter(desc.flops() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

using Factory = std::function<std::unique_ptr<ConvForward>(const Conv2DDesc&)>;
using DataFactory = std::function<std::unique_ptr<ConvBackwardData>(const Conv2DDesc&)>;
using WeightsFactory = std::function<std::unique_ptr<ConvBackwardWeights>(const Conv2DDesc&)>;

void Forward(benchmark::State& state, const Conv2DDesc& desc, const Factory& make, bool fused) {
  const auto conv = make(desc);
  if (!conv) return state.SkipWithError("not supported");
  Buffers b(desc, conv->workspace_bytes());
  float* const v = b.vectors.floats();
  const ChannelAffine affine = {v, v + desc.c, true};
  const ChannelMoments moments = {v + 2 * desc.c, v + 2 * desc.c + desc.f};
  ConvForward::Args args;
  args.x = b.x.raw();
  args.kernel = b.kernel.floats();
  args.bias = v + 2 * desc.c + 2 * desc.f;
  args.y = b.y.raw();
  args.workspace = b.workspace.raw();
  if (fused && conv->fuses_input() && desc.c > 4) args.input = &affine;
  if (fused && conv->fuses_moments()) args.moments = &moments;
  Measure(state, desc, [&] { conv->Run(args); });
}

void BackwardData(benchmark::State& state, const Conv2DDesc& desc, const DataFactory& make) {
  const auto conv = make(desc);
  if (!conv) return state.SkipWithError("not supported");
  Buffers b(desc, conv->workspace_bytes());
  ConvBackwardData::Args args;
  args.dy = b.y.raw();
  args.kernel = b.kernel.floats();
  args.dx = b.x.raw();
  args.workspace = b.workspace.raw();
  Measure(state, desc, [&] { conv->Run(args); });
}

void BackwardWeights(benchmark::State& state, const Conv2DDesc& desc, const WeightsFactory& make) {
  const auto conv = make(desc);
  if (!conv) return state.SkipWithError("not supported");
  Buffers b(desc, conv->workspace_bytes());
  ConvBackwardWeights::Args args;
  args.x = b.x.raw();
  args.dy = b.y.raw();
  args.dkernel = b.kernel.floats();
  args.dbias = b.vectors.floats();
  args.workspace = b.workspace.raw();
  Measure(state, desc, [&] { conv->Run(args); });
}

// oneDNN's primitive for one pass, on memory of its own. `tag` any or nhwc for the activations.
class OneDnn {
 public:
  enum Pass { kForward, kData, kWeights };

  OneDnn(const Conv2DDesc& d, Pass pass, dnnl::algorithm algorithm, dnnl::memory::format_tag tag) {
    using dnnl::memory;
    const auto type = d.dtype == DType::kFloat32 ? memory::data_type::f32 : memory::data_type::bf16;
    const memory::desc x({d.n, d.c, d.h, d.w}, type, tag);
    const memory::desc g({d.f, d.c, 3, 3}, type, memory::format_tag::any);
    const memory::desc b({d.f}, memory::data_type::f32, memory::format_tag::x);
    const memory::desc y({d.n, d.f, d.out_h(), d.out_w()}, type, tag);
    const memory::dims one = {1, 1}, begin = {d.pad_top, d.pad_left}, end = {d.pad_bottom, d.pad_right};
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, algorithm, x, g, b, y, one, begin, end}, engine_);
    if (pass == kForward) {
      Add(DNNL_ARG_SRC, forward.src_desc());
      Add(DNNL_ARG_WEIGHTS, forward.weights_desc());
      Add(DNNL_ARG_BIAS, forward.bias_desc());
      Add(DNNL_ARG_DST, forward.dst_desc());
      primitive_ = dnnl::convolution_forward(forward);
    } else if (pass == kData) {
      const dnnl::convolution_backward_data::primitive_desc data({algorithm, x, g, y, one, begin, end}, engine_,
                                                                 forward);
      Add(DNNL_ARG_DIFF_SRC, data.diff_src_desc());
      Add(DNNL_ARG_WEIGHTS, data.weights_desc());
      Add(DNNL_ARG_DIFF_DST, data.diff_dst_desc());
      primitive_ = dnnl::convolution_backward_data(data);
    } else {
      const dnnl::convolution_backward_weights::primitive_desc weights({algorithm, x, g, b, y, one, begin, end},
                                                                       engine_, forward);
      Add(DNNL_ARG_SRC, weights.src_desc());
      Add(DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc());
      Add(DNNL_ARG_DIFF_BIAS, weights.diff_bias_desc());
      Add(DNNL_ARG_DIFF_DST, weights.diff_dst_desc());
      primitive_ = dnnl::convolution_backward_weights(weights);
    }
  }

  void Run() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  void Add(int argument, const dnnl::memory::desc& desc) {
    const bool bf16 = desc.data_type() == dnnl::memory::data_type::bf16;
    const DType dtype = bf16 ? DType::kBFloat16 : DType::kFloat32;
    blocks_.push_back(std::make_unique<Block>(static_cast<int64_t>(desc.get_size() / SizeOf(dtype)), dtype));
    arguments_[argument] = dnnl::memory(desc, engine_, blocks_.back()->raw());
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::primitive primitive_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

void RunOneDnn(benchmark::State& state, const Conv2DDesc& desc, OneDnn::Pass pass, dnnl::algorithm algorithm,
               dnnl::memory::format_tag tag) {
  std::unique_ptr<OneDnn> conv;
  try {
    conv = std::make_unique<OneDnn>(desc, pass, algorithm, tag);
  } catch (const dnnl::error& error) {
    return state.SkipWithError(error.what());
  }
  Measure(state, desc, [&] { conv->Run(); });
}

template <typename Function, typename... Args>
void Register(const std::string& name, Function function, const Args&... args) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { function(state, args...); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

void RegisterOurs(const std::string& prefix, const Layer& layer, const Conv2DDesc& desc) {
  const auto winograd = [](const Conv2DDesc& d) { return MakeWinogradForward(d); };
  Register(prefix + "forward/winograd", Forward, desc, Factory(winograd), false);
  Register(prefix + "forward/winograd_fused", Forward, desc, Factory(winograd), true);
  const auto direct = [](const Conv2DDesc& d) { return MakeDirectForward(d); };
  Register(prefix + "forward/direct", Forward, desc, Factory(direct), false);
  Register(prefix + "forward/direct_fused", Forward, desc, Factory(direct), true);
  if (layer.c > 4) {
    Register(prefix + "data/winograd", BackwardData, desc,
             DataFactory([](const Conv2DDesc& d) { return MakeWinogradBackwardData(d); }));
  }
  Register(prefix + "weights/winograd", BackwardWeights, desc,
           WeightsFactory([](const Conv2DDesc& d) { return MakeWinogradBackwardWeights(d); }));
  Register(prefix + "weights/direct", BackwardWeights, desc,
           WeightsFactory([](const Conv2DDesc& d) { return MakeDirectBackwardWeights(d); }));
}

void RegisterOneDnn(const std::string& prefix, const Layer& layer, const Conv2DDesc& desc) {
  using dnnl::algorithm;
  using tag = dnnl::memory::format_tag;
  const struct {
    OneDnn::Pass pass;
    const char* name;
  } passes[] = {{OneDnn::kForward, "forward"}, {OneDnn::kData, "data"}, {OneDnn::kWeights, "weights"}};
  for (const auto& pass : passes) {
    if (pass.pass == OneDnn::kData && layer.c <= 4) continue;
    const std::string name = prefix + pass.name + "/onednn_";
    Register(name + "nhwc", RunOneDnn, desc, pass.pass, algorithm::convolution_direct, tag::nhwc);
    Register(name + "blocked", RunOneDnn, desc, pass.pass, algorithm::convolution_direct, tag::any);
    if (desc.dtype == DType::kFloat32) {
      Register(name + "winograd", RunOneDnn, desc, pass.pass, algorithm::convolution_winograd, tag::any);
    }
  }
}

}  // namespace
}  // namespace headrace::tensor

int main(int argc, char** argv) {
  using namespace headrace;
  using namespace headrace::tensor;
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const Layer& layer : kLayers) {
      const std::string prefix = std::string(dtype == DType::kFloat32 ? "f32/" : "bf16/") + layer.name + "/";
      RegisterOurs(prefix, layer, DescOf(layer, dtype));
      RegisterOneDnn(prefix, layer, DescOf(layer, dtype));
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
