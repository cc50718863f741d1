#include "tensor/onednn/fixed_conv.h"

#include <algorithm>

#include <dnnl.hpp>

namespace headrace::tensor::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

memory::data_type TypeOf(DType dtype) {
  return dtype == DType::kBFloat16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::dims KernelDims(const FixedConvDesc& desc) {
  const Conv2DDesc& d = desc.conv;
  if (desc.groups == 1) return {d.f, d.c, d.kh, d.kw};
  return {desc.groups, d.f / desc.groups, d.c / desc.groups, d.kh, d.kw};
}

dnnl::primitive_attr Attributes(const FixedConvDesc& desc) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops post;
  if (desc.activation == PostActivation::kRelu) post.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0, 0);
  if (desc.activation == PostActivation::kRelu6) post.append_eltwise(1.0f, dnnl::algorithm::eltwise_clip, 0, 6);
  attributes.set_post_ops(post);
  return attributes;
}

dnnl::convolution_forward::primitive_desc Describe(const FixedConvDesc& desc, const dnnl::engine& engine) {
  const Conv2DDesc& d = desc.conv;
  const memory::desc x({d.n, d.c, d.h, d.w}, TypeOf(d.dtype), Tag::nhwc);
  const memory::desc y({d.n, d.f, d.out_h(), d.out_w()}, TypeOf(d.dtype), Tag::nhwc);
  const memory::desc kernel(KernelDims(desc), TypeOf(d.dtype), Tag::any);
  const memory::desc bias({d.f}, memory::data_type::f32, Tag::x);
  return {{dnnl::prop_kind::forward_inference,
           dnnl::algorithm::convolution_direct,
           x,
           kernel,
           bias,
           y,
           {d.stride_h, d.stride_w},
           {d.dilation_h - 1, d.dilation_w - 1},
           {d.pad_top, d.pad_left},
           {d.pad_bottom, d.pad_right}},
          Attributes(desc),
          engine};
}

class OneDnnFixedConv final : public FixedConv {
 public:
  OneDnnFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias, PackedWeights& packed)
      : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const auto pd = Describe(desc, engine_);
    primitive_ = dnnl::convolution_forward(pd);
    scratchpad_bytes_ = pd.scratchpad_desc().get_size();
    x_ = memory(pd.src_desc(), engine_, DNNL_MEMORY_NONE);
    y_ = memory(pd.dst_desc(), engine_, DNNL_MEMORY_NONE);
    scratchpad_ = memory(pd.scratchpad_desc(), engine_, DNNL_MEMORY_NONE);
    bias_.assign(static_cast<size_t>(desc.conv.f), 0.0f);
    if (bias != nullptr) std::copy_n(bias, desc.conv.f, bias_.begin());
    packed_ = Pack(desc, kernel, pd.weights_desc(), packed);
    args_ = {{DNNL_ARG_SRC, x_},
             {DNNL_ARG_WEIGHTS, *static_cast<const memory*>(packed_.get())},
             {DNNL_ARG_BIAS, memory({{desc.conv.f}, memory::data_type::f32, Tag::x}, engine_, bias_.data())},
             {DNNL_ARG_DST, y_},
             {DNNL_ARG_SCRATCHPAD, scratchpad_}};
  }
  size_t workspace_bytes() const override { return scratchpad_bytes_; }

  void Run(const void* x, void* y, void* workspace) const override {
    x_.set_data_handle(const_cast<void*>(x));
    y_.set_data_handle(y);
    scratchpad_.set_data_handle(workspace);
    primitive_.execute(stream_, args_);
    stream_.wait();
  }

 private:
  std::shared_ptr<const void> Pack(const FixedConvDesc& desc, const float* kernel, const memory::desc& wanted,
                                   PackedWeights& packed) {
    // The description is plain data: its bytes name the format.
    const std::string format(reinterpret_cast<const char*>(&wanted.data), sizeof(wanted.data));
    return packed.FindOrMake(kernel, format, [&] {
      const memory plain({KernelDims(desc), memory::data_type::f32, desc.groups == 1 ? Tag::hwio : Tag::hwigo}, engine_,
                         const_cast<float*>(kernel));
      auto result = std::make_shared<memory>(wanted, engine_);
      dnnl::reorder(plain, *result).execute(stream_, const_cast<memory&>(plain), *result);
      stream_.wait();
      return std::shared_ptr<const void>(std::move(result));
    });
  }

  dnnl::engine engine_;
  mutable dnnl::stream stream_;
  dnnl::convolution_forward primitive_;
  size_t scratchpad_bytes_ = 0;
  mutable memory x_, y_, scratchpad_;
  std::vector<float> bias_;
  std::shared_ptr<const void> packed_;
  std::unordered_map<int, memory> args_;
};

}  // namespace

std::unique_ptr<FixedConv> MakeFixedConv(const FixedConvDesc& desc, const float* kernel, const float* bias,
                                         PackedWeights& packed) {
  try {
    return std::make_unique<OneDnnFixedConv>(desc, kernel, bias, packed);
  } catch (const dnnl::error&) {
    return nullptr;
  }
}

}  // namespace headrace::tensor::onednn
