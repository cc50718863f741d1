#include "keras/plan/stage.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/result.h"

namespace headrace::keras::internal {

using tensor::Backend;

// ------------------------------------------------------------------------------------------------ convolution

ConvStage::ConvStage(const StageContext& context, const Value& value, const tensor::Conv2DDesc& desc)
    : Stage(value.layer),
      desc_(desc),
      kernel_(context.Bind(value.variables[0])),
      has_bias_(std::get<Conv2DOp>(value.op).use_bias) {
  if (has_bias_) bias_ = context.Bind(value.variables[1]);
}

size_t ConvStage::workspace_bytes() const {
  size_t bytes = forward->workspace_bytes();
  if (backward_data) bytes = std::max(bytes, backward_data->workspace_bytes());
  if (backward_weights) bytes = std::max(bytes, backward_weights->workspace_bytes());
  return bytes;
}

void ConvStage::Forward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "forward", desc_.flops());
  forward->Run({.x = x[0],
                .kernel = kernel_.data(),
                .bias = has_bias_ ? bias_.data() : nullptr,
                .y = y,
                .input = input,
                .moments = moments,
                .workspace = workspace});
}

// Weights first: their gradient is on its way while the input's is computed.
void ConvStage::Backward(const StepContext& step) {
  if (backward_weights) {
    Profile::Scope scope(step.profile, label(), "backward weights", desc_.flops());
    backward_weights->Run({.x = x[0],
                           .input = input,
                           .dy = dy,
                           .dkernel = kernel_.gradient,
                           .dbias = has_bias_ ? bias_.gradient : nullptr,
                           .workspace = workspace});
  }
  Report(step);
  if (dx[0] != nullptr) {
    Profile::Scope scope(step.profile, label(), "backward data", desc_.flops());
    backward_data->Run({.dy = dy, .kernel = kernel_.data(), .dx = dx[0], .workspace = workspace});
  }
}

void ConvStage::Report(const StepContext& step) const {
  if (has_bias_) bias_.Ready(step);
  kernel_.Ready(step);
}

// ------------------------------------------------------------------------------------------------------ dense

DenseStage::DenseStage(const StageContext& context, const Value& value, const tensor::DenseDesc& desc)
    : Stage(value.layer),
      backend_(context.backend),
      desc_(desc),
      kernel_(context.Bind(value.variables[0])),
      has_bias_(std::get<DenseOp>(value.op).use_bias) {
  if (has_bias_) bias_ = context.Bind(value.variables[1]);
}

void DenseStage::Forward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "forward", 2.0 * desc_.rows * desc_.in * desc_.out);
  backend_.DenseForward(desc_, x[0], kernel_.data(), has_bias_ ? bias_.data() : nullptr, y, workspace);
}

void DenseStage::Backward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "backward", 4.0 * desc_.rows * desc_.in * desc_.out);
  if (kernel_.gradient != nullptr)
    backend_.DenseBackwardWeights(desc_, x[0], dy, kernel_.gradient, has_bias_ ? bias_.gradient : nullptr, workspace);
  Report(step);
  if (dx[0] != nullptr) backend_.DenseBackwardData(desc_, dy, kernel_.data(), dx[0], workspace);
}

void DenseStage::Report(const StepContext& step) const {
  if (has_bias_) bias_.Ready(step);
  kernel_.Ready(step);
}

// --------------------------------------------------------------------------------------------------- epilogue

namespace {

enum StatisticsRow { kMean, kVariance, kRstd, kScale, kShift, kDGamma, kDBeta, kStatisticsRows };

std::string LabelOf(const FusedStep& fused) {
  std::string label;
  for (const Value* part : {fused.batch_norm, fused.relu, fused.pool, fused.dropout})
    if (part != nullptr) label += (label.empty() ? "" : "+") + part->layer;
  return label;
}

uint32_t Mix(uint32_t x) {  // MurmurHash3's finalizer
  x ^= x >> 16;
  x *= 0x85EBCA6Bu;
  x ^= x >> 13;
  x *= 0xC2B2AE35u;
  return x ^ (x >> 16);
}

}  // namespace

EpilogueStage::EpilogueStage(const StageContext& context, const FusedStep& fused, const Shape& input, uint32_t position)
    : Stage(LabelOf(fused)), backend_(context.backend), position_(position) {
  const bool image = input.rank() == 4;
  desc_ = {.n = input[0], .h = image ? input[1] : 1, .w = image ? input[2] : 1, .dtype = context.dtype};
  desc_.c = input[input.rank() - 1];
  if (!image)
    for (size_t axis = 1; axis + 1 < input.rank(); ++axis) desc_.n *= input[axis];
  desc_.relu = fused.relu != nullptr;
  if (fused.pool != nullptr) {
    const auto& pool = std::get<MaxPoolOp>(fused.pool->op);
    desc_.pool_h = pool.pool_h;
    desc_.pool_w = pool.pool_w;
  }
  if (fused.dropout != nullptr) rate_ = std::get<DropoutOp>(fused.dropout->op).rate;
  statistics_ = Tensor::Zeros(DType::kFloat32, {kStatisticsRows, desc_.c});
  std::fill_n(Row(kScale), desc_.c, 1.0f);  // a ReLU alone, deferred, scales by one
  if (fused.batch_norm != nullptr) {
    const auto& op = std::get<BatchNormOp>(fused.batch_norm->op);
    const auto& variables = fused.batch_norm->variables;
    desc_.batch_norm = true;
    batch_statistics_ = context.training && op.trainable;
    if (batch_statistics_ && op.synchronized) synchronized_ = std::make_unique<SynchronizedChannels>(desc_.c);
    momentum_ = op.momentum;
    epsilon_ = op.epsilon;
    gamma_ = context.Bind(variables[0]);
    beta_ = context.Bind(variables[1]);
    moving_mean_ = context.Bind(variables[2]);
    moving_variance_ = context.Bind(variables[3]);
  }
  affine_ = {Row(kScale), Row(kShift), desc_.relu};
  moments_ = {Row(kMean), Row(kVariance)};
}

tensor::DropoutDraw EpilogueStage::Draw(const StepContext& step) const {
  if (rate_ == 0 || !step.training) return {};
  return {rate_, Mix(step.dropout_key + position_ * 0x9E3779B9u)};
}

void EpilogueStage::PrepareScale() {
  if (!batch_statistics_) {
    std::copy_n(moving_mean_.data(), desc_.c, Row(kMean));
    std::copy_n(moving_variance_.data(), desc_.c, Row(kVariance));
  }
  for (int64_t i = 0; i < desc_.c; ++i) {
    Row(kRstd)[i] = 1.0f / std::sqrt(Row(kVariance)[i] + epsilon_);
    Row(kScale)[i] = gamma_.data()[i] * Row(kRstd)[i];
    Row(kShift)[i] = beta_.data()[i] - Row(kMean)[i] * Row(kScale)[i];
  }
}

void EpilogueStage::MoveStatistics() {
  for (int64_t i = 0; i < desc_.c; ++i) {
    float &mean = moving_mean_.mutable_data()[i], &variance = moving_variance_.mutable_data()[i];
    mean = mean * momentum_ + Row(kMean)[i] * (1 - momentum_);
    variance = variance * momentum_ + Row(kVariance)[i] * (1 - momentum_);
  }
}

void EpilogueStage::Forward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "forward");
  if (batch_statistics_ && !moments_given) backend_.Moments(rows(), desc_.c, desc_.dtype, x[0], moments_);
  if (synchronized_ && step.exchange != nullptr) synchronized_->MergeMoments(*step.exchange, rows(), moments_);
  if (desc_.batch_norm) PrepareScale();
  if (batch_statistics_) MoveStatistics();
  if (!deferred)
    backend_.EpilogueForward(desc_,
                             {.x = x[0], .scale = Row(kScale), .shift = Row(kShift), .dropout = Draw(step), .y = y});
}

void EpilogueStage::Backward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "backward");
  tensor::EpilogueBackwardArgs args{.x = x[0],
                                    .dy = dy,
                                    .scale = Row(kScale),
                                    .shift = Row(kShift),
                                    .mean = Row(kMean),
                                    .rstd = Row(kRstd),
                                    .dropout = Draw(step),
                                    .dgamma = Row(kDGamma),
                                    .dbeta = Row(kDBeta),
                                    .dx = dx[0]};
  if (batch_statistics_) {
    backend_.EpilogueBackwardSums(desc_, args);
    if (gamma_.gradient != nullptr) std::copy_n(Row(kDGamma), desc_.c, gamma_.gradient);
    if (beta_.gradient != nullptr) std::copy_n(Row(kDBeta), desc_.c, beta_.gradient);
    Report(step);
    if (synchronized_ && step.exchange != nullptr)
      synchronized_->ShareSums(*step.exchange, rows(), Row(kDGamma), Row(kDBeta));
  }  // else the sums stay zero and dx is scale * g
  if (dx[0] != nullptr) backend_.EpilogueBackward(desc_, args);
}

void EpilogueStage::Report(const StepContext& step) const {
  beta_.Ready(step);
  gamma_.Ready(step);
}

// The moving statistics stay those of the other ranks.
void EpilogueStage::SkipForward(const StepContext& step) {
  if (!synchronized_ || step.exchange == nullptr) return;
  if (synchronized_->MergeMoments(*step.exchange, 0, moments_) > 0) MoveStatistics();
}

void EpilogueStage::SkipBackward(const StepContext& step) {
  if (!batch_statistics_) return;
  Report(step);
  if (synchronized_ && step.exchange != nullptr) synchronized_->ShareSums(*step.exchange, 0, Row(kDGamma), Row(kDBeta));
}

// ----------------------------------------------------------------------------------------------------- simple

namespace {

struct SimpleMaker {
  const StageContext& context;
  const Value& value;
  const std::vector<Shape>& shapes;

  using Result = std::unique_ptr<Stage>;
  const Backend& backend() const { return context.backend; }
  Result Make(SimpleStage::Run forward, SimpleStage::Run backward) const {
    return std::make_unique<SimpleStage>(value.layer, std::move(forward), std::move(backward));
  }

  Result operator()(const ActivationOp& op) const {
    const int64_t c = shapes[0][shapes[0].rank() - 1], rows = shapes[0].size() / c;
    const DType dtype = context.dtype;
    const auto activation = op.activation;
    const Backend& b = backend();
    return Make(
        [=, &b](const Stage& s) { b.ActivationForward(activation, rows, c, dtype, s.x[0], s.y); },
        [=, &b](const Stage& s) { b.ActivationBackward(activation, rows, c, dtype, s.x[0], s.y, s.dy, s.dx[0]); });
  }

  Result operator()(const MaxPoolOp& op) const {
    const Shape& in = shapes[0];
    const tensor::Pool2DDesc desc{in[0],       in[1],        in[2],        in[3],      op.pool_h,
                                  op.pool_w,   op.stride_h,  op.stride_w,  op.pad_top, op.pad_bottom,
                                  op.pad_left, op.pad_right, context.dtype};
    const Backend& b = backend();
    return Make([=, &b](const Stage& s) { b.MaxPoolForward(desc, s.x[0], s.y); },
                [=, &b](const Stage& s) { b.MaxPoolBackward(desc, s.x[0], s.dy, s.dx[0]); });
  }

  Result operator()(const GlobalAveragePoolOp&) const {
    const Shape& in = shapes[0];
    const int64_t n = in[0], hw = in[1] * in[2], c = in[3];
    const DType dtype = context.dtype;
    const Backend& b = backend();
    return Make([=, &b](const Stage& s) { b.GlobalAveragePoolForward(n, hw, c, dtype, s.x[0], s.y); },
                [=, &b](const Stage& s) { b.GlobalAveragePoolBackward(n, hw, c, dtype, s.dy, s.dx[0]); });
  }

  Result operator()(const AddOp&) const {
    const int64_t count = shapes[0].size();
    const DType dtype = context.dtype;
    const Backend& b = backend();
    return Make([=, &b](const Stage& s) { b.Add(count, dtype, s.x[0], s.x[1], s.y); },
                [=](const Stage& s) {
                  for (void* dx : s.dx)
                    if (dx != nullptr) std::memcpy(dx, s.dy, static_cast<size_t>(count) * SizeOf(dtype));
                });
  }

  Result operator()(const ZeroPadOp& op) const {
    const Shape& in = shapes[0];
    const int64_t n = in[0], h = in[1], w = in[2], c = in[3];
    const DType dtype = context.dtype;
    const Backend& b = backend();
    return Make(
        [=, &b](const Stage& s) { b.PadForward(n, h, w, c, op.top, op.bottom, op.left, op.right, dtype, s.x[0], s.y); },
        [=, &b](const Stage& s) {
          b.PadBackward(n, h, w, c, op.top, op.bottom, op.left, op.right, dtype, s.dy, s.dx[0]);
        });
  }

  // ---- inference only: no gradients

  Result Make(SimpleStage::Run forward) const {
    return Make(std::move(forward), [](const Stage&) {});
  }

  Result operator()(const AveragePoolOp& op) const {
    const Shape& in = shapes[0];
    const tensor::Pool2DDesc desc{in[0],       in[1],        in[2],        in[3],      op.pool_h,
                                  op.pool_w,   op.stride_h,  op.stride_w,  op.pad_top, op.pad_bottom,
                                  op.pad_left, op.pad_right, context.dtype};
    return Make([=, &b = backend()](const Stage& s) { b.AveragePool(desc, s.x[0], s.y); });
  }

  Result operator()(const PointwiseOp& op) const {
    const int64_t count = shapes[0].size();
    return Make([=, dtype = context.dtype, &b = backend()](const Stage& s) {
      b.ApplyPointwise(op.kind, op.alpha, count, dtype, s.x[0], s.y);
    });
  }

  Shape Out() const {
    Shape out = value.shape;
    out[0] = context.batch;
    return out;
  }

  Result operator()(const BinaryOp& op) const {
    if (!value.variables.empty()) return WithConstant(op);
    const tensor::BinaryDesc desc{op.kind, shapes[0], shapes[1], Out(), context.dtype};
    return Make([=, &b = backend()](const Stage& s) { b.ApplyBinary(desc, s.x[0], s.x[1], s.y); });
  }

  Result WithConstant(const BinaryOp& op) const {
    const Tensor constant = value.variables[0]->value.Cast(context.dtype);
    const bool first = op.constant_first;
    const tensor::BinaryDesc desc{op.kind, first ? constant.shape() : shapes[0], first ? shapes[0] : constant.shape(),
                                  Out(), context.dtype};
    return Make([=, &b = backend()](const Stage& s) {
      b.ApplyBinary(desc, first ? constant.raw() : s.x[0], first ? s.x[0] : constant.raw(), s.y);
    });
  }

  Result operator()(const SelectOp&) const {
    const tensor::SelectDesc desc{shapes[0], shapes[1], shapes[2], Out(), context.dtype};
    return Make([=, &b = backend()](const Stage& s) { b.Select(desc, s.x[0], s.x[1], s.x[2], s.y); });
  }

  Result operator()(const ReduceOp& op) const {
    const tensor::ReduceDesc desc{op.kind, shapes[0], op.reduced, context.dtype};
    return Make([=, &b = backend()](const Stage& s) { b.Reduce(desc, s.x[0], s.y); });
  }

  Result operator()(const SliceOp& op) const {
    const tensor::SliceDesc desc{shapes[0], Out(), op.begins, op.steps, context.dtype};
    return Make([=, &b = backend()](const Stage& s) { b.Slice(desc, s.x[0], s.y); });
  }

  Result operator()(const TileOp& op) const {
    return Make([shape = shapes[0], multiples = op.multiples, dtype = context.dtype, &b = backend()](const Stage& s) {
      b.Tile(shape, multiples, dtype, s.x[0], s.y);
    });
  }

  Result operator()(const ResizeOp& op) const {
    const Shape &in = shapes[0], &out = value.shape;
    const tensor::ResizeDesc desc{
        in[0], in[1], in[2], in[3], out[1], out[2], op.resampling, op.half_pixels, op.aligned_corners, context.dtype};
    return Make([=, &b = backend()](const Stage& s) { b.Resize(desc, s.x[0], s.y); });
  }

  Result operator()(const SpreadOp& op) const {
    return Make([in = shapes[0], op, dtype = context.dtype, &b = backend()](const Stage& s) {
      b.Spread(in[0], in[1], in[2], in[3], op.stride_h, op.stride_w, dtype, s.x[0], s.y);
    });
  }

  // Numbers of rows that bfloat16 cannot hold would name others.
  Result operator()(const LookupOp&) const {
    const Tensor& table = value.variables[0]->value;
    if (context.dtype != DType::kFloat32)
      throw MakeError(ErrorCode::kInvalidArgument, "layer {}: a table is looked up in float32 only, not in {}",
                      value.layer, NameOf(context.dtype));
    return Make([table, count = shapes[0].size(), dtype = context.dtype, &b = backend()](const Stage& s) {
      b.Lookup(count, table.dim(0), table.dim(1), table.data<float>(), dtype, s.x[0], s.y);
    });
  }

  Result operator()(const ConcatOp& op) const {
    int64_t rows = 1;
    for (int64_t axis = 0; axis < op.axis; ++axis) rows *= shapes[0][static_cast<size_t>(axis)];
    std::vector<int64_t> widths;
    for (const Shape& shape : shapes) widths.push_back(shape.size() / rows);
    return Make(
        [=, dtype = context.dtype, &b = backend()](const Stage& s) { b.Concat(rows, widths, dtype, s.x, s.y); });
  }

  Result operator()(const TransposeOp& op) const {
    return Make([shape = shapes[0], axes = op.axes, dtype = context.dtype, &b = backend()](const Stage& s) {
      b.Transpose(shape, axes, dtype, s.x[0], s.y);
    });
  }

  template <typename Op>
  Result operator()(const Op&) const {
    throw MakeError(ErrorCode::kInternal, "layer {}: its operation has no stage", value.layer);
  }
};

}  // namespace

std::unique_ptr<Stage> MakeSimpleStage(const StageContext& context, const Value& value,
                                       const std::vector<Shape>& shapes) {
  return std::visit(SimpleMaker{context, value, shapes}, value.op);
}

}  // namespace headrace::keras::internal
