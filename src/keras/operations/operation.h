// What an operation is beyond its attributes in graph.h: how it runs and what its gradient is, one file a family. Its
// shape rule is GraphBuilder's, TensorFlow's names for it are savedmodel's, its cases for the numeric check stand in
// operations_test.cc.
//
// The gradient of an operation is operations: its Differentiate() appends them. A few have kernels with a backward pass
// instead (HasOwnBackward): what is worth fusing, and what reads weights.
#pragma once

#include <vector>

#include "keras/graph.h"
#include "keras/operations/builder.h"
#include "keras/plan/stage.h"
#include "tensor/backend.h"

namespace headrace::keras::internal {

struct Operand {
  Shape shape;  // all dimensions known
  DType dtype = DType::kFloat32;
  int64_t count() const { return shape.size(); }
};

// What kernels are chosen by, when a plan is compiled.
struct OperationContext {
  const tensor::Backend& backend;
  const Value& value;
  std::vector<Operand> inputs;
  Operand output;
};

struct Kernels {
  SimpleStage::Run forward;
  SimpleStage::Run backward = {};  // writes dx[0] from dy; where the operation HasOwnBackward()
  size_t workspace_bytes = 0;
};
// Throws kInternal for what has a stage of its own (convolution, dense, epilogues), and for what the plan binds itself.
Kernels MakeKernels(const OperationContext& context);

bool HasOwnBackward(const Operation& op);
// Whether nothing in front of it can be trained through it: a comparison, a rounding, what was asked to stop.
bool EndsGradients(const Value& value);
// Whether kernels of the backward pass read the output.
bool BackwardReadsOutput(const Operation& op);
// Whether the result may be written over input `i` of the same size: every element depends on its own place alone.
bool MayOverwrite(const OperationContext& context, size_t i);

// Where an operation's gradient is built. All shapes are known.
class GradientContext {
 public:
  // y: the value whose gradient `dy` is given; wanted: the inputs whose gradients are needed.
  GradientContext(Graph& graph, int y, int dy, std::vector<bool> wanted)
      : build(graph, graph.values[static_cast<size_t>(y)].layer),
        y(y),
        dy(dy),
        wanted_(std::move(wanted)),
        given_(wanted_.size(), -1) {}

  const Value& value() const { return build.at(y); }
  int input(size_t i) const { return value().inputs[i]; }
  const Shape& input_shape(size_t i) const { return build.shape(input(i)); }
  bool wants(size_t i) const { return wanted_[i]; }
  void Give(size_t i, int gradient) { given_[i] = gradient; }
  int given(size_t i) const { return given_[i]; }  // -1: the output does not depend on it

  GraphBuilder build;
  const int y, dy;

 private:
  std::vector<bool> wanted_;
  std::vector<int> given_;
};
// Throws kInvalidArgument for an operation that has no gradient yet.
void Differentiate(GradientContext& context);

// ---- by family

Kernels KernelsOf(const OperationContext& c, const ActivationOp& op);  // elementwise.cc
Kernels KernelsOf(const OperationContext& c, const AddOp& op);
Kernels KernelsOf(const OperationContext& c, const PointwiseOp& op);
Kernels KernelsOf(const OperationContext& c, const BinaryOp& op);
Kernels KernelsOf(const OperationContext& c, const SelectOp& op);
Kernels KernelsOf(const OperationContext& c, const CastOp& op);
Kernels KernelsOf(const OperationContext& c, const StopGradientOp& op);
void GradientOf(GradientContext& g, const AddOp& op);
void GradientOf(GradientContext& g, const PointwiseOp& op);
void GradientOf(GradientContext& g, const BinaryOp& op);
void GradientOf(GradientContext& g, const SelectOp& op);
void GradientOf(GradientContext& g, const CastOp& op);

Kernels KernelsOf(const OperationContext& c, const ReduceOp& op);  // reductions.cc
Kernels KernelsOf(const OperationContext& c, const ArgMaxOp& op);
Kernels KernelsOf(const OperationContext& c, const CrossentropyOp& op);
void GradientOf(GradientContext& g, const ReduceOp& op);

Kernels KernelsOf(const OperationContext& c, const ConcatOp& op);  // arrangement.cc
Kernels KernelsOf(const OperationContext& c, const TransposeOp& op);
Kernels KernelsOf(const OperationContext& c, const SliceOp& op);
Kernels KernelsOf(const OperationContext& c, const TileOp& op);
Kernels KernelsOf(const OperationContext& c, const UnsliceOp& op);
void GradientOf(GradientContext& g, const FlattenOp& op);
void GradientOf(GradientContext& g, const ConcatOp& op);
void GradientOf(GradientContext& g, const TransposeOp& op);
void GradientOf(GradientContext& g, const SliceOp& op);
void GradientOf(GradientContext& g, const UnsliceOp& op);
void GradientOf(GradientContext& g, const TileOp& op);

Kernels KernelsOf(const OperationContext& c, const MatMulOp& op);  // matrices.cc
Kernels KernelsOf(const OperationContext& c, const GatherOp& op);
Kernels KernelsOf(const OperationContext& c, const ScatterOp& op);
void GradientOf(GradientContext& g, const MatMulOp& op);
void GradientOf(GradientContext& g, const GatherOp& op);
void GradientOf(GradientContext& g, const ScatterOp& op);

Kernels KernelsOf(const OperationContext& c, const MaxPoolOp& op);  // images.cc
Kernels KernelsOf(const OperationContext& c, const GlobalAveragePoolOp& op);
Kernels KernelsOf(const OperationContext& c, const AveragePoolOp& op);
Kernels KernelsOf(const OperationContext& c, const ZeroPadOp& op);
Kernels KernelsOf(const OperationContext& c, const ResizeOp& op);
Kernels KernelsOf(const OperationContext& c, const SpreadOp& op);

}  // namespace headrace::keras::internal
