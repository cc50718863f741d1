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

// ----------------------------------------------------------------------------------------------------- lookup

LookupStage::LookupStage(const StageContext& context, const Value& value, int64_t count, DType indices)
    : Stage(value.layer), backend_(context.backend), table_(context.Bind(value.variables[0])) {
  const Tensor& table = value.variables[0]->value;
  desc_ = {count, table.dim(0), table.dim(1), indices, context.dtype};
  if (indices == DType::kBFloat16)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "layer {}: found numbers of rows in bfloat16, which skips numbers; wanted float32", value.layer);
}

void LookupStage::Forward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "forward");
  backend_.Gather(desc_, table_.data(), x[0], y);
}

void LookupStage::Backward(const StepContext& step) {
  Profile::Scope scope(step.profile, label(), "backward");
  if (table_.gradient != nullptr) backend_.ScatterSum(desc_, x[0], dy, table_.gradient);
  table_.Ready(step);
}

// --------------------------------------------------------------------------------------------------- variable

VariableStage::VariableStage(const StageContext& context, const Value& value)
    : Stage(value.layer),
      backend_(context.backend),
      dtype_(context.dtype),
      count_(value.shape.size()),
      variable_(context.Bind(value.variables[0])) {}

void VariableStage::Forward(const StepContext&) {
  backend_.Convert(count_, DType::kFloat32, variable_.data(), dtype_, y);
}

void VariableStage::Backward(const StepContext& step) {
  if (variable_.gradient != nullptr) backend_.Convert(count_, dtype_, dy, DType::kFloat32, variable_.gradient);
  variable_.Ready(step);
}

}  // namespace headrace::keras::internal
