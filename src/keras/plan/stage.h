// Stage: one step of a compiled plan with everything bound: kernels chosen, pointers fixed. Running allocates nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "keras/gradient_exchange.h"
#include "keras/graph.h"
#include "keras/plan/fuse.h"
#include "keras/plan/parameters.h"
#include "keras/plan/profile.h"
#include "keras/plan/shared_gradients.h"
#include "keras/plan/synchronize.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

// What changes from step to step.
struct StepContext {
  bool training = false;
  uint32_t dropout_key = 0;              // of this step; stages mix their own position in
  GradientExchange* exchange = nullptr;  // null: the model trains alone
  Profile* profile = nullptr;
};

class Stage {
 public:
  explicit Stage(std::string label) : label_(std::move(label)) {}
  virtual ~Stage() = default;
  virtual void Forward(const StepContext& step) = 0;
  // Writes dx (where it is wanted) from dy, and the gradients of the stage's variables.
  virtual void Backward(const StepContext& step) = 0;
  // A step without a batch, while other ranks have one: only what they wait for.
  virtual void SkipForward(const StepContext& /*step*/) {}
  virtual void SkipBackward(const StepContext& /*step*/) {}
  virtual size_t workspace_bytes() const { return 0; }

  const std::string& label() const { return label_; }

  // Bound once by the plan.
  std::vector<void*> x;   // inputs
  void* y = nullptr;      // output
  void* dy = nullptr;     // its gradient
  std::vector<void*> dx;  // gradients of the inputs; null where none is wanted. dx[0] may be dy for epilogues
  void* workspace = nullptr;

 private:
  std::string label_;
};

// A variable that a stage reads, and where its gradient goes.
struct Weight {
  VariablePtr variable;
  float* gradient = nullptr;  // null: not trained
  int index = -1;             // among the trainable variables
  const float* data() const { return static_cast<const float*>(variable->value.raw()); }
  float* mutable_data() const { return static_cast<float*>(variable->value.raw()); }
  void Ready(const StepContext& step) const {
    if (step.exchange != nullptr && index >= 0) step.exchange->GradientReady(static_cast<size_t>(index));
  }
};

// What stages are built from.
struct StageContext {
  const tensor::Backend& backend;
  const Parameters* parameters = nullptr;  // null: nothing is trained
  DType dtype = DType::kFloat32;
  int64_t batch = 0;
  bool training = false;
  const SharedGradients* shared = nullptr;
  int step = 0;  // whose stage is built

  // Of a variable that other steps read, too, the plan reports the gradient, not the stage.
  Weight Bind(const VariablePtr& variable) const {
    if (parameters == nullptr) return {variable};
    if (float* target = shared->Target(variable.get(), step)) return {variable, target, -1};
    return {variable, parameters->gradient(variable.get()), parameters->index(variable.get())};
  }
};

class ConvStage : public Stage {
 public:
  ConvStage(const StageContext& context, const Value& value, const tensor::Conv2DDesc& desc);
  void Forward(const StepContext& step) override;
  void Backward(const StepContext& step) override;
  void SkipBackward(const StepContext& step) override { Report(step); }
  size_t workspace_bytes() const override;

  std::unique_ptr<tensor::ConvForward> forward;
  std::unique_ptr<tensor::ConvBackwardData> backward_data;        // null: the input needs no gradient
  std::unique_ptr<tensor::ConvBackwardWeights> backward_weights;  // null: not trained
  const tensor::ChannelAffine* input = nullptr;                   // applied while loading x
  const tensor::ChannelMoments* moments = nullptr;                // of y, where the next stage wants them
  const tensor::Conv2DDesc& desc() const { return desc_; }
  bool trained() const { return kernel_.gradient != nullptr; }

 private:
  void Report(const StepContext& step) const;

  tensor::Conv2DDesc desc_;
  Weight kernel_, bias_;
  bool has_bias_;
};

// A convolution of a model whose weights never change.
class FixedConvStage : public Stage {
 public:
  FixedConvStage(const std::string& label, std::unique_ptr<tensor::FixedConv> conv, double flops)
      : Stage(label), conv_(std::move(conv)), flops_(flops) {}
  void Forward(const StepContext& step) override {
    Profile::Scope scope(step.profile, label(), "forward", flops_);
    conv_->Run(x[0], y, workspace);
  }
  void Backward(const StepContext&) override {}
  size_t workspace_bytes() const override { return conv_->workspace_bytes(); }

 private:
  std::unique_ptr<tensor::FixedConv> conv_;
  double flops_;
};

class DenseStage : public Stage {
 public:
  DenseStage(const StageContext& context, const Value& value, const tensor::DenseDesc& desc);
  void Forward(const StepContext& step) override;
  void Backward(const StepContext& step) override;
  void SkipBackward(const StepContext& step) override { Report(step); }
  size_t workspace_bytes() const override { return backend_.DenseWorkspaceBytes(desc_); }

 private:
  void Report(const StepContext& step) const;

  const tensor::Backend& backend_;
  tensor::DenseDesc desc_;
  Weight kernel_, bias_;
  bool has_bias_;
};

// BatchNormalization, ReLU, pooling and dropout in one (see tensor::EpilogueDesc).
class EpilogueStage : public Stage {
 public:
  // position: of the stage in the plan, part of the dropout key.
  EpilogueStage(const StageContext& context, const FusedStep& fused, const Shape& input, uint32_t position);
  void Forward(const StepContext& step) override;
  void Backward(const StepContext& step) override;
  void SkipForward(const StepContext& step) override;
  void SkipBackward(const StepContext& step) override;

  // The consumer applies the epilogue while it loads x: nothing is written. Only scale, shift and ReLU can be deferred.
  bool deferrable() const { return desc_.pool_h * desc_.pool_w == 1 && rate_ == 0; }
  bool deferred = false;
  // Somebody else writes moments() before Forward.
  bool moments_given = false;
  bool uses_batch_statistics() const { return batch_statistics_; }
  const tensor::ChannelAffine& affine() const { return affine_; }
  const tensor::ChannelMoments& moments() const { return moments_; }
  bool pools() const { return desc_.pool_h * desc_.pool_w > 1; }

 private:
  void PrepareScale();
  void MoveStatistics();
  void Report(const StepContext& step) const;
  int64_t rows() const { return desc_.n * desc_.h * desc_.w; }
  tensor::DropoutDraw Draw(const StepContext& step) const;

  const tensor::Backend& backend_;
  tensor::EpilogueDesc desc_;
  uint32_t position_;
  float rate_ = 0;
  bool batch_statistics_ = false;  // else BatchNormalization, where there is one, uses the moving ones
  std::unique_ptr<SynchronizedChannels> synchronized_;  // null: of this rank alone
  float momentum_ = 0, epsilon_ = 0;
  Weight gamma_, beta_, moving_mean_, moving_variance_;
  Tensor statistics_;  // [8, c]: mean, variance, rstd, scale, shift, dgamma, dbeta, zeros
  float* Row(int row) { return statistics_.data<float>() + row * desc_.c; }
  tensor::ChannelAffine affine_;
  tensor::ChannelMoments moments_;
};

// A weight as a value that operations read; its gradient is the sum of what they give.
class VariableStage : public Stage {
 public:
  VariableStage(const StageContext& context, const Value& value);
  void Forward(const StepContext& step) override;
  void Backward(const StepContext& step) override;
  void SkipBackward(const StepContext& step) override { variable_.Ready(step); }

 private:
  const tensor::Backend& backend_;
  DType dtype_;
  int64_t count_;
  Weight variable_;
};

// Rows of a weight by their numbers. Its gradient has the sums of what each row was given.
class LookupStage : public Stage {
 public:
  LookupStage(const StageContext& context, const Value& value, int64_t count, DType indices);
  void Forward(const StepContext& step) override;
  void Backward(const StepContext& step) override;
  void SkipBackward(const StepContext& step) override { table_.Ready(step); }

 private:
  const tensor::Backend& backend_;
  Weight table_;
  tensor::GatherDesc desc_;
};

// Every stage without weights or state is one call of the back end, two where it has a backward pass of its own.
class SimpleStage : public Stage {
 public:
  using Run = std::function<void(const Stage& stage)>;
  SimpleStage(std::string label, Run forward, Run backward, size_t workspace_bytes = 0)
      : Stage(std::move(label)),
        forward_(std::move(forward)),
        backward_(std::move(backward)),
        workspace_bytes_(workspace_bytes) {}
  size_t workspace_bytes() const override { return workspace_bytes_; }
  void Forward(const StepContext& step) override {
    Profile::Scope scope(step.profile, label(), "forward");
    forward_(*this);
  }
  void Backward(const StepContext& step) override {
    Profile::Scope scope(step.profile, label(), "backward");
    backward_(*this);
  }

 private:
  Run forward_, backward_;
  size_t workspace_bytes_;
};

}  // namespace headrace::keras::internal
