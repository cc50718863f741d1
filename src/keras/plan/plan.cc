#include "keras/plan/plan.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/result.h"
#include "keras/operations/operation.h"
#include "keras/plan/differentiate.h"

namespace headrace::keras::internal {

// Where a graph value lives.
struct Plan::Storage {
  BufferId data = kNoBuffer;
  void* fixed = nullptr;       // of a constant: not in the arena
  std::vector<int> consumers;  // steps that it is an input of, ascending
  int producer = -1;           // the step that writes it; -1 for inputs and constants
  int last_read = -1;          // the last step that reads its data
};

class Plan::Compiler {
 public:
  Compiler(Plan& plan, const Parameters* parameters, ConvChooser& chooser)
      : plan_(plan),
        graph_(plan.graph_),
        chooser_(chooser),
        context_{plan.backend_, plan.options_.loss >= 0 ? parameters : nullptr, plan.options_.dtype,
                 plan.options_.batch, plan.options_.training},
        storages_(graph_.values.size()) {
    plan_.shared_ = std::make_unique<SharedGradients>(plan_.fused_, context_.parameters);
    context_.shared = plan_.shared_.get();
  }

  void Run() {
    Connect();
    for (int i = 0; i < Steps(); ++i) MakeStage(i);
    for (int i = 0; i < Steps(); ++i) FuseIntoConsumer(i);
    for (int i = 0; i < Steps(); ++i) FuseMoments(i);
    for (int i = 0; i < Steps(); ++i)
      for (const int read : Reads(i)) storage(read).last_read = i;
    AddBuffers();
    UseBuffers();
    plan_.arena_.Allocate();
    Bind();
    FindUnreached();
  }

 private:
  int Steps() const { return static_cast<int>(plan_.fused_.steps.size()); }
  const FusedStep& step(int i) const { return plan_.fused_.steps[static_cast<size_t>(i)]; }
  bool Backwards(int i) const { return step(i).backward_of >= 0; }
  const Value& value(int i) const { return graph_.values[static_cast<size_t>(i)]; }
  Storage& storage(int i) { return storages_[static_cast<size_t>(i)]; }
  DType TypeOf(int i) const { return *value(i).dtype; }
  size_t BytesOf(int i) const { return static_cast<size_t>(value(i).shape.size()) * SizeOf(TypeOf(i)); }
  // The stage of a forward step.
  template <typename T>
  T* As(int i) {
    return dynamic_cast<T*>(plan_.stages_[static_cast<size_t>(i)].get());
  }

  // A layer that a loss or another layer uses has weights from its first call on; their values are made by a model.
  static void RequireMade(const Value& value) {
    for (const VariablePtr& variable : value.variables)
      if (!variable->value.defined())
        throw MakeError(ErrorCode::kFailedPrecondition,
                        "{}: found a weight \"{}\" without a value, wanted layers of a model that is built before",
                        value.layer.empty() ? "a loss or a layer of one's own" : value.layer, variable->name);
  }

  void Connect() {
    for (size_t i = 0; i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      RequireMade(value);
      if (std::holds_alternative<InputOp>(value.op)) inputs_.push_back(static_cast<int>(i));
      if (const auto* constant = std::get_if<ConstantOp>(&value.op)) {
        plan_.constants_.push_back(constant->value.Cast(TypeOf(static_cast<int>(i))));
        storages_[i].fixed = plan_.constants_.back().raw();
      }
    }
    for (int i = 0; i < Steps(); ++i) {
      if (step(i).output >= 0) storage(step(i).output).producer = i;
      for (const int input : step(i).inputs) storage(input).consumers.push_back(i);
    }
  }

  // ---- stages

  // The value a step reads: it names the shape, and may be an alias (a Flatten) of where the bytes are.
  const Value& InputOf(int i, size_t input) const {
    const FusedStep& s = step(i);
    const Value* first = s.op;
    for (const Value* part : {s.dropout, s.pool, s.relu, s.batch_norm})
      if (part != nullptr) first = part;
    return value(first->inputs[input]);
  }

  void MakeStage(int i) {
    const FusedStep& s = step(i);
    context_.step = i;
    context_.dtype = s.output < 0 ? plan_.options_.dtype : TypeOf(s.output);
    std::unique_ptr<Stage> stage;
    if (Backwards(i)) {
      // run by the forward step's stage
    } else if (s.epilogue()) {
      stage = std::make_unique<EpilogueStage>(context_, s, InputOf(i, 0).shape, static_cast<uint32_t>(i));
    } else if (const auto* conv = std::get_if<Conv2DOp>(&s.op->op)) {
      stage = MakeConv(i, *conv);
    } else if (std::holds_alternative<DenseOp>(s.op->op)) {
      const Shape& in = InputOf(i, 0).shape;
      const int64_t width = in[in.rank() - 1];
      const tensor::DenseDesc desc{in.size() / width, width, s.op->variables[0]->value.dim(1), context_.dtype};
      stage = std::make_unique<DenseStage>(context_, *s.op, desc);
    } else if (std::holds_alternative<VariableOp>(s.op->op)) {
      stage = std::make_unique<VariableStage>(context_, *s.op);
    } else if (std::holds_alternative<LookupOp>(s.op->op)) {
      const Value& indices = InputOf(i, 0);
      stage = std::make_unique<LookupStage>(context_, *s.op, indices.shape.size(), TypeOf(s.inputs[0]));
    } else {
      Kernels kernels = MakeKernels(ContextOf(i));
      stage = std::make_unique<SimpleStage>(s.op->layer, std::move(kernels.forward), std::move(kernels.backward),
                                            kernels.workspace_bytes);
    }
    plan_.stages_.push_back(std::move(stage));
  }

  OperationContext ContextOf(int i) const {
    const FusedStep& s = step(i);
    OperationContext context{plan_.backend_, *s.op, {}, {s.op->shape, TypeOf(s.output)}};
    for (size_t k = 0; k < s.inputs.size(); ++k) context.inputs.push_back({InputOf(i, k).shape, TypeOf(s.inputs[k])});
    return context;
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
    const Shape& in = InputOf(i, 0).shape;
    const Shape& kernel = s.op->variables[0]->value.shape();
    const tensor::Conv2DDesc desc{in[0],         in[1],       in[2],        in[3],         kernel[0],     kernel[1],
                                  kernel[3],     op.stride_h, op.stride_w,  op.dilation_h, op.dilation_w, op.pad_top,
                                  op.pad_bottom, op.pad_left, op.pad_right, context_.dtype};
    if (plan_.options_.fixed_weights != nullptr) return MakeFixedConv(i, op, desc);
    if (op.groups != 1 || op.activation != tensor::PostActivation::kNone)
      throw MakeError(ErrorCode::kInternal, "layer {}: a convolution for inference only", s.op->layer);
    auto stage = std::make_unique<ConvStage>(context_, *s.op, desc);
    stage->forward = chooser_.Forward(desc);
    const int backward = BackwardOf(i);
    if (backward >= 0 && stage->trained()) stage->backward_weights = chooser_.BackwardWeights(desc);
    if (backward >= 0 && step(backward).output >= 0) stage->backward_data = chooser_.BackwardData(desc);
    return stage;
  }

  // The step that is forward step i's backward pass, -1 for none.
  int BackwardOf(int i) const {
    const auto& backward = plan_.fused_.backward;
    return static_cast<size_t>(i) < backward.size() ? backward[static_cast<size_t>(i)] : -1;
  }

  // ---- fusion over stage borders

  // Whether step i reads the value as it is, or reshaped with its channels kept: scales and moments are by channel.
  bool ReadsChannelsOf(int i, int producer) const {
    return InputOf(i, 0).shape.dims().back() == value(step(producer).output).shape.dims().back();
  }

  // An epilogue of scale, shift and ReLU before one convolution is left to the convolution's loads.
  void FuseIntoConsumer(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    if (epilogue == nullptr || !epilogue->deferrable()) return;
    const Storage& out = storage(step(i).output);
    if (out.consumers.size() != 1 || plan_.fused_.IsOutput(step(i).output)) return;
    auto* conv = As<ConvStage>(out.consumers[0]);
    if (conv == nullptr || !conv->forward->fuses_input() || !ReadsChannelsOf(out.consumers[0], i)) return;
    if (conv->backward_weights && !conv->backward_weights->fuses_input()) return;
    epilogue->deferred = true;
    conv->input = &epilogue->affine();
  }

  // A convolution that can hands its output's moments to the BatchNormalization behind it.
  void FuseMoments(int i) {
    auto* epilogue = As<EpilogueStage>(i);
    if (epilogue == nullptr || !epilogue->uses_batch_statistics()) return;
    const int producer = storage(step(i).inputs[0]).producer;
    auto* conv = producer < 0 ? nullptr : As<ConvStage>(producer);
    if (conv == nullptr || !conv->forward->fuses_moments() || conv->moments != nullptr) return;
    if (!ReadsChannelsOf(i, producer)) return;
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
    const int producer = storage(input).producer;
    return producer >= 0 && Deferred(producer) ? step(producer).inputs[0] : input;
  }

  std::vector<int> Reads(int i) {
    std::vector<int> reads;
    const auto add_inputs = [&](int of) {
      for (size_t k = 0; k < step(of).inputs.size(); ++k) reads.push_back(DataOf(of, k));
    };
    add_inputs(i);
    if (!Backwards(i)) return reads;
    const int forward = step(i).backward_of;
    add_inputs(forward);
    if (step(forward).op != nullptr && BackwardReadsOutput(step(forward).op->op)) reads.push_back(step(forward).output);
    return reads;
  }

  // An input whose place step i's output may take: its data is read for the last time, element by element; -1 for none.
  int Overwritten(int i) {
    const FusedStep& s = step(i);
    if (s.output < 0) return -1;
    for (size_t k = 0; k < s.inputs.size(); ++k) {
      const int input = s.inputs[k];
      const Storage& in = storage(input);
      if (in.producer < 0 || in.last_read != i || plan_.fused_.IsOutput(input) || DataOf(i, k) != input) continue;
      if (BytesOf(input) == BytesOf(s.output) && ElementByElement(i, k)) return input;
    }
    return -1;
  }

  bool ElementByElement(int i, size_t k) {
    auto* epilogue = As<EpilogueStage>(Backwards(i) ? step(i).backward_of : i);
    if (epilogue != nullptr) return k == 0 && !epilogue->pools();
    return !Backwards(i) && MayOverwrite(ContextOf(i), k);
  }

  void AddBuffers() {
    for (const int input : inputs_) storage(input).data = plan_.arena_.Add(BytesOf(input));
    for (int i = 0; i < Steps(); ++i) {
      if (step(i).output < 0 || (!Backwards(i) && Deferred(i))) continue;
      const int input = Overwritten(i);
      storage(step(i).output).data = input >= 0 ? storage(input).data : plan_.arena_.Add(BytesOf(step(i).output));
    }
  }

  void Use(int value, int time) {
    if (storage(value).data != kNoBuffer) plan_.arena_.Use(storage(value).data, time);
  }

  void UseBuffers() {
    for (const int input : inputs_) Use(input, -1);
    size_t workspace_bytes = 0;
    for (int i = 0; i < Steps(); ++i) {
      if (step(i).output >= 0) Use(step(i).output, i);
      for (const int read : Reads(i)) Use(read, i);
      if (!Backwards(i))
        workspace_bytes = std::max(workspace_bytes, plan_.stages_[static_cast<size_t>(i)]->workspace_bytes());
    }
    for (const int output : plan_.fused_.outputs) Use(output, Steps());
    if (workspace_bytes == 0) return;
    workspace_ = plan_.arena_.Add(workspace_bytes);
    plan_.arena_.Use(workspace_, 0);
    plan_.arena_.Use(workspace_, Steps());
  }

  // ---- pointers

  void* At(int value) {
    const Storage& s = storage(value);
    if (s.fixed != nullptr) return s.fixed;
    return s.data == kNoBuffer ? nullptr : plan_.arena_.At(s.data);
  }

  void Bind() {
    for (const int input : inputs_) plan_.inputs_.push_back({At(input), TypeOf(input)});
    for (const int output : plan_.fused_.outputs) plan_.outputs_.push_back(At(output));
    for (int i = 0; i < Steps(); ++i) {
      const FusedStep& s = step(i);
      if (Backwards(i)) {
        Stage& stage = *plan_.stages_[static_cast<size_t>(s.backward_of)];
        stage.dy = At(s.inputs[0]);
        stage.dx.assign(std::max<size_t>(1, stage.x.size()), nullptr);
        if (s.output >= 0) stage.dx[0] = At(s.output);
        plan_.steps_.push_back({&stage, s.backward_of});
        continue;
      }
      Stage& stage = *plan_.stages_[static_cast<size_t>(i)];
      for (size_t k = 0; k < s.inputs.size(); ++k) stage.x.push_back(At(DataOf(i, k)));
      stage.y = At(s.output);
      stage.workspace = workspace_ == kNoBuffer ? nullptr : plan_.arena_.At(workspace_);
      plan_.steps_.push_back({&stage, -1});
    }
  }

  void FindUnreached() {
    if (context_.parameters == nullptr) return;
    std::set<size_t> reached;
    for (size_t i = 0; i < plan_.fused_.backward.size(); ++i) {
      if (plan_.fused_.backward[i] < 0) continue;
      for (const Value* part : {plan_.fused_.steps[i].op, plan_.fused_.steps[i].batch_norm})
        for (const auto& variable : part != nullptr ? part->variables : std::vector<VariablePtr>{})
          if (const int index = context_.parameters->index(variable.get()); index >= 0)
            reached.insert(static_cast<size_t>(index));
    }
    for (size_t i = context_.parameters->count(); i-- > 0;)
      if (!reached.contains(i)) plan_.unreached_.push_back(i);
  }

  Plan& plan_;
  const Graph& graph_;
  ConvChooser& chooser_;
  StageContext context_;
  std::vector<Storage> storages_;
  std::vector<int> inputs_;  // the graph's InputOps
  BufferId workspace_ = kNoBuffer;
};

namespace {

// The graph with every dimension and type known.
Graph Settled(Graph graph, const PlanOptions& options) {
  for (Value& value : graph.values) {
    value.shape = WithRows(std::move(value.shape), options.batch);
    if (!value.dtype) value.dtype = options.dtype;
  }
  return graph;
}

}  // namespace

Plan::Plan(Graph graph, const tensor::Backend& backend, const Parameters* parameters, ConvChooser& chooser,
           const PlanOptions& options)
    : graph_(Settled(std::move(graph), options)),
      backend_(backend),
      options_(options),
      fused_(Fuse(graph_, {.training = options.training})) {
  if (options.loss >= 0 && parameters != nullptr) DifferentiateSteps(graph_, fused_, options.loss, *parameters);
  Compiler(*this, parameters, chooser).Run();
}

Plan::~Plan() = default;

void Plan::Run(const std::vector<Tensor>& inputs, const StepContext& context) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    if (inputs_[i].dtype == DType::kInt64)
      std::memcpy(inputs_[i].data, input.raw(), input.bytes());
    else
      backend_.Convert(input.size(), input.dtype(), input.raw(), inputs_[i].dtype, inputs_[i].data);
  }
  for (const Step& step : steps_) {
    if (step.backward_of < 0) {
      step.stage->Forward(context);
      continue;
    }
    step.stage->Backward(context);
    shared_->Add(step.backward_of, backend_);
    ReportShared(step.backward_of, context);
  }
  ReportUnreached(context);
}

// Behind the last contribution to them.
void Plan::ReportShared(int step, const StepContext& context) const {
  if (context.exchange == nullptr) return;
  for (const size_t variable : shared_->Final(step)) context.exchange->GradientReady(variable);
}

// Their gradients are the zeros that they were made with.
void Plan::ReportUnreached(const StepContext& context) const {
  if (context.exchange == nullptr) return;
  for (const size_t variable : unreached_) context.exchange->GradientReady(variable);
}

void Plan::Skip(const StepContext& context) {
  for (const Step& step : steps_) {
    if (step.backward_of < 0) {
      step.stage->SkipForward(context);
      continue;
    }
    step.stage->SkipBackward(context);
    ReportShared(step.backward_of, context);
  }
  ReportUnreached(context);
}

}  // namespace headrace::keras::internal
