#include "tensor/onednn/conv.h"

#include <cstring>

#include <dnnl.hpp>

namespace headrace::tensor::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

constexpr size_t kAlignment = 64;
constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;

size_t RoundUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

memory::data_type TypeOf(DType dtype) {
  return dtype == DType::kBFloat16 ? memory::data_type::bf16 : memory::data_type::f32;
}

// What the three passes share: the descriptions oneDNN asks for, and the engine.
struct Problem {
  explicit Problem(const Conv2DDesc& d)
      : engine(dnnl::engine::kind::cpu, 0),
        x({d.n, d.c, d.h, d.w}, TypeOf(d.dtype), Tag::nhwc),
        y({d.n, d.f, d.out_h(), d.out_w()}, TypeOf(d.dtype), Tag::nhwc),
        kernel({d.f, d.c, d.kh, d.kw}, TypeOf(d.dtype), Tag::any),
        kernel_f32({d.f, d.c, d.kh, d.kw}, memory::data_type::f32, Tag::any),
        kernel_hwio({d.f, d.c, d.kh, d.kw}, memory::data_type::f32, Tag::hwio),
        bias({d.f}, memory::data_type::f32, Tag::x),
        strides({d.stride_h, d.stride_w}),
        dilation({d.dilation_h - 1, d.dilation_w - 1}),
        pad_l({d.pad_top, d.pad_left}),
        pad_r({d.pad_bottom, d.pad_right}) {
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  }

  dnnl::convolution_forward::primitive_desc Forward() const {
    return {{dnnl::prop_kind::forward_training, kAlgorithm, x, kernel, bias, y, strides, dilation, pad_l, pad_r},
            attributes,
            engine};
  }
  dnnl::convolution_backward_data::primitive_desc BackwardData() const {
    return {{kAlgorithm, x, kernel, y, strides, dilation, pad_l, pad_r}, attributes, engine, Forward()};
  }
  dnnl::convolution_backward_weights::primitive_desc BackwardWeights() const {
    return {{kAlgorithm, x, kernel_f32, bias, y, strides, dilation, pad_l, pad_r}, attributes, engine, Forward()};
  }
  // A memory object whose bytes are bound at each call.
  memory Unbound(const memory::desc& desc) const { return {desc, engine, DNNL_MEMORY_NONE}; }

  dnnl::engine engine;
  memory::desc x, y, kernel, kernel_f32, kernel_hwio, bias;
  memory::dims strides, dilation, pad_l, pad_r;
  dnnl::primitive_attr attributes;
};

void Bind(const memory& object, const void* bytes) { object.set_data_handle(const_cast<void*>(bytes)); }

// The workspace of a call: the kernel in oneDNN's format, a bias for callers that have none, the scratchpad.
struct Workspace {
  Workspace(const memory::desc& kernel, const memory::desc& bias, const memory::desc& scratchpad)
      : bias_at(RoundUp(kernel.get_size())),
        scratchpad_at(bias_at + RoundUp(bias.get_size())),
        bytes(scratchpad_at + RoundUp(scratchpad.get_size())) {}
  static void* At(void* workspace, size_t offset) { return static_cast<char*>(workspace) + offset; }
  size_t bias_at, scratchpad_at, bytes;
};

// A primitive with the reorder between HWIO and its own kernel format, ready to run.
template <typename Primitive>
struct Compiled {
  Compiled(const Problem& problem, const typename Primitive::primitive_desc& pd, const memory::desc& kernel_desc,
           bool kernel_is_output)
      : primitive(pd),
        workspace(kernel_desc, problem.bias, pd.scratchpad_desc()),
        stream(problem.engine),
        x(problem.Unbound(problem.x)),
        y(problem.Unbound(problem.y)),
        bias(problem.Unbound(problem.bias)),
        kernel(problem.Unbound(kernel_desc)),
        hwio(problem.Unbound(problem.kernel_hwio)),
        scratchpad(problem.Unbound(pd.scratchpad_desc())),
        reorder(kernel_is_output ? dnnl::reorder(kernel, hwio) : dnnl::reorder(hwio, kernel)) {}

  void BindWorkspace(void* bytes) const {
    Bind(kernel, bytes);
    Bind(scratchpad, Workspace::At(bytes, workspace.scratchpad_at));
  }
  float* SpareBias(void* bytes) const { return static_cast<float*>(Workspace::At(bytes, workspace.bias_at)); }

  Primitive primitive;
  Workspace workspace;
  mutable dnnl::stream stream;
  mutable memory x, y, bias, kernel, hwio, scratchpad;
  dnnl::reorder reorder;
  std::unordered_map<int, memory> args;
};

class Forward : public ConvForward {
 public:
  explicit Forward(const Conv2DDesc& desc) : Forward(Problem(desc)) {}
  std::string name() const override { return "onednn_direct"; }
  bool direct() const override { return true; }
  size_t workspace_bytes() const override { return c_.workspace.bytes; }

  void Run(const Args& args) const override {
    c_.BindWorkspace(args.workspace);
    Bind(c_.hwio, args.kernel);
    c_.reorder.execute(c_.stream, c_.hwio, c_.kernel);
    Bind(c_.x, args.x);
    Bind(c_.y, args.y);
    if (args.bias == nullptr) std::memset(c_.SpareBias(args.workspace), 0, c_.bias.get_desc().get_size());
    Bind(c_.bias, args.bias != nullptr ? args.bias : c_.SpareBias(args.workspace));
    c_.primitive.execute(c_.stream, c_.args);
    c_.stream.wait();
  }

 private:
  explicit Forward(const Problem& problem) : Forward(problem, problem.Forward()) {}
  Forward(const Problem& problem, const dnnl::convolution_forward::primitive_desc& pd)
      : c_(problem, pd, pd.weights_desc(), false) {
    c_.args = {{DNNL_ARG_SRC, c_.x},
               {DNNL_ARG_WEIGHTS, c_.kernel},
               {DNNL_ARG_BIAS, c_.bias},
               {DNNL_ARG_DST, c_.y},
               {DNNL_ARG_SCRATCHPAD, c_.scratchpad}};
  }
  Compiled<dnnl::convolution_forward> c_;
};

class BackwardData : public ConvBackwardData {
 public:
  explicit BackwardData(const Conv2DDesc& desc) : BackwardData(Problem(desc)) {}
  std::string name() const override { return "onednn_direct"; }
  bool direct() const override { return true; }
  size_t workspace_bytes() const override { return c_.workspace.bytes; }

  void Run(const Args& args) const override {
    c_.BindWorkspace(args.workspace);
    Bind(c_.hwio, args.kernel);
    c_.reorder.execute(c_.stream, c_.hwio, c_.kernel);
    Bind(c_.x, args.dx);
    Bind(c_.y, args.dy);
    c_.primitive.execute(c_.stream, c_.args);
    c_.stream.wait();
  }

 private:
  explicit BackwardData(const Problem& problem) : BackwardData(problem, problem.BackwardData()) {}
  BackwardData(const Problem& problem, const dnnl::convolution_backward_data::primitive_desc& pd)
      : c_(problem, pd, pd.weights_desc(), false) {
    c_.args = {{DNNL_ARG_DIFF_SRC, c_.x},
               {DNNL_ARG_WEIGHTS, c_.kernel},
               {DNNL_ARG_DIFF_DST, c_.y},
               {DNNL_ARG_SCRATCHPAD, c_.scratchpad}};
  }
  Compiled<dnnl::convolution_backward_data> c_;
};

class BackwardWeights : public ConvBackwardWeights {
 public:
  explicit BackwardWeights(const Conv2DDesc& desc) : BackwardWeights(Problem(desc)) {}
  std::string name() const override { return "onednn_direct"; }
  bool direct() const override { return true; }
  size_t workspace_bytes() const override { return c_.workspace.bytes; }

  void Run(const Args& args) const override {
    c_.BindWorkspace(args.workspace);
    Bind(c_.x, args.x);
    Bind(c_.y, args.dy);
    Bind(c_.bias, args.dbias != nullptr ? args.dbias : c_.SpareBias(args.workspace));
    c_.primitive.execute(c_.stream, c_.args);
    Bind(c_.hwio, args.dkernel);
    c_.reorder.execute(c_.stream, c_.kernel, c_.hwio);
    c_.stream.wait();
  }

 private:
  explicit BackwardWeights(const Problem& problem) : BackwardWeights(problem, problem.BackwardWeights()) {}
  BackwardWeights(const Problem& problem, const dnnl::convolution_backward_weights::primitive_desc& pd)
      : c_(problem, pd, pd.diff_weights_desc(), true) {
    c_.args = {{DNNL_ARG_SRC, c_.x},
               {DNNL_ARG_DIFF_WEIGHTS, c_.kernel},
               {DNNL_ARG_DIFF_BIAS, c_.bias},
               {DNNL_ARG_DIFF_DST, c_.y},
               {DNNL_ARG_SCRATCHPAD, c_.scratchpad}};
  }
  Compiled<dnnl::convolution_backward_weights> c_;
};

template <typename Kernel, typename Interface>
std::unique_ptr<Interface> Make(const Conv2DDesc& desc) {
  try {
    return std::make_unique<Kernel>(desc);
  } catch (const dnnl::error&) {
    return nullptr;
  }
}

}  // namespace

std::unique_ptr<ConvForward> MakeConvForward(const Conv2DDesc& desc) { return Make<Forward, ConvForward>(desc); }
std::unique_ptr<ConvBackwardData> MakeConvBackwardData(const Conv2DDesc& desc) {
  return Make<BackwardData, ConvBackwardData>(desc);
}
std::unique_ptr<ConvBackwardWeights> MakeConvBackwardWeights(const Conv2DDesc& desc) {
  return Make<BackwardWeights, ConvBackwardWeights>(desc);
}

}  // namespace headrace::tensor::onednn
