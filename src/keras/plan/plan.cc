#include "keras/plan/plan.h"

#include <algorithm>

#include "base/result.h"

namespace headrace::keras::internal {

// Where a graph value lives: its data and, in training, its gradient.
struct Plan::Storage {
  Shape shape;  // with the batch
  BufferId data = kNoBuffer, gradient = kNoBuffer;
  std::vector<int> consumers;  // steps that read it, ascending
  int producer = -1;           // the step that writes it; -1 for the input
  bool needs_gradient = false;
};

class Plan::Compiler {
 public:
  Compiler(Plan& plan, const Graph& graph, const Parameters* parameters, ConvChooser& chooser)
      : plan_(plan),
        graph_(graph),
        chooser_(chooser),
        context_{plan.backend_, plan.options_.training ? parameters : nullptr, plan.options_.dtype, plan.options_.batch,
                 plan.options_.training},
        storages_(graph.values.size()) {
    plan_.shared_ = std::make_unique<SharedGradients>(plan_.fused_, context_.parameters);
    context_.shared = plan_.shared_.get();
  }

  void Run() {
    Connect();
    for (size_t i = 0; i < Steps(); ++i) MakeStage(static_cast<int>(i));
    for (size_t i = 0; i < Steps(); ++i) FuseIntoConsumer(static_cast<int>(i));
    for (size_t i = 0; i < Steps(); ++i) FuseMoments(static_cast<int>(i));
    AddBuffers();
    UseBuffers();
    plan_.arena_.Allocate();
    Bind();
  }

 private:
  size_t Steps() const { return plan_.fused_.steps.size(); }
  const FusedStep& step(int i) const { return plan_.fused_.steps[i]; }
  Stage& stage(int i) { return *plan_.stages_[i].stage; }
  template <typename T>
  T* As(int i) {
    return dynamic_cast<T*>(plan_.stages_[i].stage.get());
  }
  Storage& output(int i) { return storages_[step(i).output]; }

  // Forward of step i happens at time i, the loss at time Steps(), backward of step i at 2 * Steps() - i.
  int ForwardTime(int i) const { return i; }
  int LossTime() const { return static_cast<int>(Steps()); }
  int BackwardTime(int i) const { return 2 * static_cast<int>(Steps()) - i; }

  Shape WithBatch(Shape shape) const {
    shape[0] = plan_.options_.batch;
    return shape;
  }

  void Connect() {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      if (!std::holds_alternative<InputOp>(graph_.values[i].op)) continue;
      storages_[i].shape = WithBatch(graph_.values[i].shape);
      inputs_.push_back(i);
    }
    for (size_t i = 0; i < Steps(); ++i) {
      const FusedStep& s = step(static_cast<int>(i));
      Storage& out = storages_[s.output];
      out.shape = WithBatch(graph_.values[s.output].shape);
      out.producer = static_cast<int>(i);
      out.needs_gradient = Trains(s);
      for (const int input : s.inputs) {
        storages_[input].consumers.push_back(static_cast<int>(i));
        out.needs_gradient |= storages_[input].needs_gradient;
      }
    }
  }

  bool Trains(const FusedStep& s) const {
    if (context_.parameters == nullptr) return false;
    for (const Value* part : {s.op, s.batch_norm}) {
      if (part == nullptr) continue;
      for (const auto& variable : part->variables)
        if (context_.parameters->gradient(variable.get()) != nullptr) return true;
    }
    return false;
  }

  // ---- stages

  // The shape a step sees: of the value it names, which may be an alias (a Flatten) of where the bytes are.
  Shape InputShape(int i, size_t input) const {
    const FusedStep& s = step(i);
    const Value* first = s.op;
    for (const Value* part : {s.dropout, s.pool, s.relu, s.batch_norm})
      if (part != nullptr) first = part;
    return WithBatch(graph_.values[first->inputs[input]].shape);
  }

  void MakeStage(int i) {
    const FusedStep& s = step(i);
    context_.step = i;
    Bound bound;
    if (s.epilogue()) {
      bound.stage = std::make_unique<EpilogueStage>(context_, s, InputShape(i, 0), static_cast<uint32_t>(i));
    } else if (const auto* conv = std::get_if<Conv2DOp>(&s.op->op)) {
      bound.stage = MakeConv(i, *conv);
    } else if (std::holds_alternative<DenseOp>(s.op->op)) {
      const Shape in = InputShape(i, 0);
      const int64_t width = in[in.rank() - 1];
      const tensor::DenseDesc desc{in.size() / width, width, s.op->variables[0]->value.dim(1), context_.dtype};
      bound.stage = std::make_unique<DenseStage>(context_, *s.op, desc);
    } else {
      std::vector<Shape> shapes;
      for (size_t k = 0; k < s.inputs.size(); ++k) shapes.push_back(InputShape(i, k));
      bound.stage = MakeSimpleStage(context_, *s.op, shapes);
    }
    bound.backward = plan_.options_.training && output(i).needs_gradient;
    plan_.stages_.push_back(std::move(bound));
  }

  std::unique_ptr<Stage> MakeFixedConv(int i, const Conv2DOp& op, const tensor::Conv2DDesc& desc) {
    const auto& variables = step(i).op->variables;
    const auto weight = [&](size_t k) { return static_cast<const float*>(variables[k]->value.raw()); };
    auto conv = plan_.backend_.MakeFixedConv({desc, op.groups, op.activation}, weight(0),
                                             op.use_bias ? weight(1) : nullptr, *plan_.options_.fixed_weights);
    return std::make_unique<FixedConvStage>(step(i).op->layer, std::move(conv), desc.flops());
  }

  std::unique_ptr<Stage> MakeConv(int i, const Conv2DOp& op) {
    const FusedStep& s = step(i);
    const Shape in = InputShape(i, 0);
    const Shape& kernel = s.op->variables[0]->value.shape();
    const tensor::Conv2DDesc desc{in[0],         in[1],       in[2],        in[3],         kernel[0],     kernel[1],
                                  kernel[3],     op.stride_h, op.stride_w,  op.dilation_h, op.dilation_w, op.pad_top,
                                  op.pad_bottom, op.pad_left, op.pad_right, context_.dtype};
    if (plan_.options_.fixed_weights != nullptr) return MakeFixedConv(i, op, desc);
    if (op.groups != 1 || op.activation != tensor::PostActivation::kNone)
      throw MakeError(ErrorCode::kInternal, "layer {}: a convolution for inference only", s.op->layer);
    auto stage = std::make_unique<ConvStage>(context_, *s.op, desc);
    stage->forward = chooser_.Forward(desc);
    if (stage->trained()) stage->backward_weights = chooser_.BackwardWeights(desc);
    if (plan_.options_.training && storages_[s.inputs[0]].needs_gradient)
      stage->backward_data = chooser_.BackwardData(desc);
    return stage;
  }

  // ---- fusion over stage borders

  // An epilogue of scale, shift and ReLU before one convolution is left to the convolution's loads.
  void FuseIntoConsumer(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    if (epilogue == nullptr || !epilogue->deferrable()) return;
    const Storage& out = output(i);
    if (out.consumers.size() != 1 || plan_.fused_.IsOutput(step(i).output)) return;
    auto* conv = As<ConvStage>(out.consumers[0]);
    if (conv == nullptr || !conv->forward->fuses_input()) return;
    if (conv->backward_weights && !conv->backward_weights->fuses_input()) return;
    epilogue->deferred = true;
    conv->input = &epilogue->affine();
  }

  // A convolution that can hands its output's moments to the BatchNormalization behind it.
  void FuseMoments(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    if (epilogue == nullptr || !epilogue->uses_batch_statistics()) return;
    const int producer = storages_[step(i).inputs[0]].producer;
    auto* conv = producer < 0 ? nullptr : As<ConvStage>(producer);
    if (conv == nullptr || !conv->forward->fuses_moments() || conv->moments != nullptr) return;
    conv->moments = &epilogue->moments();
    epilogue->moments_given = true;
  }

  // ---- buffers

  bool Deferred(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    return epilogue != nullptr && epilogue->deferred;
  }

  // The data step i reads as its input k: with a deferred epilogue in between, what that one would have read.
  int DataOf(int i, size_t k) {
    const int input = step(i).inputs[k];
    const int producer = storages_[input].producer;
    return producer >= 0 && Deferred(producer) ? step(producer).inputs[0] : input;
  }

  // Backward of a lone-consumer epilogue overwrites its output's gradient with its input's.
  bool BackwardInPlace(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    if (epilogue == nullptr || epilogue->pools()) return false;
    const Storage& in = storages_[step(i).inputs[0]];
    return in.consumers.size() == 1 && in.needs_gradient && !plan_.fused_.IsOutput(step(i).inputs[0]);
  }

  // Forward without gradients overwrites its input, too.
  bool ForwardInPlace(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    if (epilogue == nullptr || epilogue->pools() || epilogue->deferred || plan_.options_.training) return false;
    const int input = step(i).inputs[0];
    return storages_[input].consumers.size() == 1 && storages_[input].producer >= 0 && DataOf(i, 0) == input &&
           !plan_.fused_.IsOutput(input);
  }

  void AddBuffers() {
    Arena& arena = plan_.arena_;
    const size_t element = SizeOf(plan_.options_.dtype);
    const auto bytes = [&](const Storage& s) { return static_cast<size_t>(s.shape.size()) * element; };
    for (const size_t input : inputs_) storages_[input].data = arena.Add(bytes(storages_[input]));
    for (size_t i = 0; i < Steps(); ++i) {
      const int k = static_cast<int>(i);
      if (ForwardInPlace(k))
        output(k).data = storages_[step(k).inputs[0]].data;
      else if (!Deferred(k))
        output(k).data = arena.Add(bytes(output(k)));
    }
    if (!plan_.options_.training) return;
    for (size_t i = Steps(); i-- > 0;) {
      const int k = static_cast<int>(i);
      Storage& out = output(k);
      if (out.needs_gradient && out.gradient == kNoBuffer) out.gradient = arena.Add(bytes(out));
      if (out.needs_gradient && BackwardInPlace(k)) storages_[step(k).inputs[0]].gradient = out.gradient;
    }
    for (Storage& s : storages_)
      if (s.needs_gradient && s.consumers.size() > 1) sum_bytes_ = std::max(sum_bytes_, bytes(s));
    if (sum_bytes_ > 0) sum_ = arena.Add(sum_bytes_);
  }

  void UseBuffers() {
    Arena& arena = plan_.arena_;
    for (const size_t input : inputs_) arena.Use(storages_[input].data, -1);
    for (size_t i = 0; i < Steps(); ++i) {
      const int k = static_cast<int>(i);
      workspace_bytes_ = std::max(workspace_bytes_, stage(k).workspace_bytes());
      arena.Use(output(k).data, ForwardTime(k));
      for (size_t input = 0; input < step(k).inputs.size(); ++input) {
        const Storage& data = storages_[DataOf(k, input)];
        arena.Use(data.data, ForwardTime(k));
        if (plan_.stages_[i].backward) arena.Use(data.data, BackwardTime(k));
      }
      if (!plan_.stages_[i].backward) continue;
      if (As<SimpleStage>(k) != nullptr) arena.Use(output(k).data, BackwardTime(k));  // softmax and others read y
      arena.Use(output(k).gradient, BackwardTime(k));
      for (const int input : step(k).inputs) arena.Use(storages_[input].gradient, BackwardTime(k));
      arena.Use(sum_, BackwardTime(k));
    }
    for (const int other : plan_.fused_.more_outputs) arena.Use(storages_[other].data, LossTime());
    arena.Use(OutputStorage().data, LossTime());
    arena.Use(OutputStorage().gradient, LossTime());
    if (workspace_bytes_ > 0) {
      workspace_ = arena.Add(workspace_bytes_);
      arena.Use(workspace_, 0);
      arena.Use(workspace_, BackwardTime(0));
    }
  }

  Storage& OutputStorage() { return storages_[plan_.fused_.output]; }

  // ---- pointers

  void* At(BufferId buffer) const { return buffer == kNoBuffer ? nullptr : plan_.arena_.At(buffer); }

  void Bind() {
    for (const size_t input : inputs_) plan_.inputs_.push_back(At(storages_[input].data));
    plan_.outputs_.push_back(At(OutputStorage().data));
    for (const int other : plan_.fused_.more_outputs) plan_.outputs_.push_back(At(storages_[other].data));
    plan_.dscores_ = At(OutputStorage().gradient);
    for (size_t i = 0; i < Steps(); ++i) {
      const int k = static_cast<int>(i);
      Stage& s = stage(k);
      s.y = At(output(k).data);
      s.dy = At(output(k).gradient);
      s.workspace = At(workspace_);
      Bound& bound = plan_.stages_[i];
      for (size_t input = 0; input < step(k).inputs.size(); ++input) {
        s.x.push_back(At(storages_[DataOf(k, input)].data));
        BindGradient(k, input, bound);
      }
    }
  }

  // The consumer that runs first in the backward pass (the last step) writes a value's gradient, the others add to it.
  void BindGradient(int k, size_t input, Bound& bound) {
    const Storage& in = storages_[step(k).inputs[input]];
    const auto& inputs = step(k).inputs;
    const bool again = std::find(inputs.begin(), inputs.begin() + static_cast<long>(input), inputs[input]) !=
                       inputs.begin() + static_cast<long>(input);  // x + x
    const bool writes =
        !in.consumers.empty() && in.consumers.back() == k && !again && !(step(k).inputs[input] == plan_.fused_.output);
    void* gradient = At(in.gradient);
    bound.stage->dx.push_back(gradient == nullptr || writes ? gradient : At(sum_));
    bound.add_to.push_back(gradient == nullptr || writes ? nullptr : gradient);
    bound.add_count.push_back(in.shape.size());
  }

  Plan& plan_;
  const Graph& graph_;
  ConvChooser& chooser_;
  StageContext context_;
  std::vector<Storage> storages_;
  std::vector<size_t> inputs_;  // the graph's InputOps
  size_t workspace_bytes_ = 0, sum_bytes_ = 0;
  BufferId workspace_ = kNoBuffer, sum_ = kNoBuffer;
};

Plan::Plan(const Graph& graph, const tensor::Backend& backend, const Parameters* parameters, ConvChooser& chooser,
           const PlanOptions& options)
    : backend_(backend),
      options_(options),
      fused_(Fuse(graph, {.training = options.training, .drop_softmax = options.drop_softmax})) {
  Compiler(*this, graph, parameters, chooser).Run();
}

Plan::~Plan() = default;

void* Plan::scores() const { return outputs_[0]; }
void* Plan::dscores() const { return dscores_; }

void Plan::Forward(const Tensor& x, const StepContext& step) {
  backend_.Convert(x.size(), x.dtype(), x.raw(), options_.dtype, inputs_[0]);
  for (Bound& bound : stages_) bound.stage->Forward(step);
}

void Plan::Forward(const std::vector<Tensor>& inputs, const StepContext& step) {
  for (size_t i = 0; i < inputs.size(); ++i)
    backend_.Convert(inputs[i].size(), inputs[i].dtype(), inputs[i].raw(), options_.dtype, inputs_[i]);
  for (Bound& bound : stages_) bound.stage->Forward(step);
}

void Plan::Backward(const StepContext& step) {
  for (size_t i = stages_.size(); i-- > 0;) {
    Bound& bound = stages_[i];
    if (!bound.backward) continue;
    bound.stage->Backward(step);
    shared_->Add(static_cast<int>(i), backend_);
    ReportShared(i, step);
    for (size_t k = 0; k < bound.add_to.size(); ++k)
      if (bound.add_to[k] != nullptr)
        backend_.Add(bound.add_count[k], options_.dtype, bound.add_to[k], bound.stage->dx[k], bound.add_to[k]);
  }
}

// Behind the last contribution to them.
void Plan::ReportShared(size_t stage, const StepContext& step) const {
  if (step.exchange == nullptr) return;
  for (const size_t variable : shared_->Final(static_cast<int>(stage))) step.exchange->GradientReady(variable);
}

void Plan::Skip(const StepContext& step) {
  for (Bound& bound : stages_) bound.stage->SkipForward(step);
  for (size_t i = stages_.size(); i-- > 0;) {
    if (!stages_[i].backward) continue;
    stages_[i].stage->SkipBackward(step);
    ReportShared(i, step);
  }
}

}  // namespace headrace::keras::internal
