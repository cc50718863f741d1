#include "savedmodel/import/operations.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace headrace::savedmodel {
namespace {

template <typename Table>
auto Find(const Table& table, std::string_view op) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& handler) { return handler.first == op; });
  return found == std::end(table) ? nullptr : found->second;
}

}  // namespace

OperationHandler FindOperation(std::string_view op) {
  static constexpr std::pair<std::string_view, OperationHandler> kHandlers[] = {
      {"Abs", ImportPointwise},
      {"Add", ImportAdd},
      {"AddN", ImportAddN},
      {"AddV2", ImportAdd},
      {"ArgMax", ImportArgMax},
      {"AsString", ImportAsString},
      {"AvgPool", ImportAvgPool},
      {"BatchToSpaceND", ImportBatchToSpace},
      {"BiasAdd", ImportBiasAdd},
      {"BroadcastTo", ImportBroadcastTo},
      {"Cast", ImportCast},
      {"ConcatV2", ImportConcat},
      {"Const", ImportConst},
      {"Conv2D", ImportConv2D},
      {"Conv2DBackpropInput", ImportTransposedConv},
      {"DecodeRaw", ImportDecodeRaw},
      {"DepthwiseConv2dNative", ImportDepthwise},
      {"Elu", ImportActivation},
      {"Erf", ImportPointwise},
      {"Exp", ImportPointwise},
      {"ExpandDims", ImportExpandDims},
      {"Expm1", ImportPointwise},
      {"FusedBatchNorm", ImportBatchNorm},
      {"FusedBatchNormV2", ImportBatchNorm},
      {"FusedBatchNormV3", ImportBatchNorm},
      {"GatherV2", ImportGather},
      {"Greater", ImportComparison},
      {"GreaterEqual", ImportComparison},
      {"Identity", ImportIdentity},
      {"Inv", ImportPointwise},
      {"LeakyRelu", ImportPointwise},
      {"Less", ImportComparison},
      {"LessEqual", ImportComparison},
      {"Log", ImportPointwise},
      {"Log1p", ImportPointwise},
      {"LogSoftmax", ImportLogSoftmax},
      {"LogicalNot", ImportLogicalNot},
      {"MatMul", ImportMatMul},
      {"Max", ImportReduction},
      {"MaxPool", ImportMaxPool},
      {"Maximum", ImportMinMax},
      {"Mean", ImportReduction},
      {"Min", ImportReduction},
      {"Minimum", ImportMinMax},
      {"Mul", ImportMul},
      {"Neg", ImportPointwise},
      {"Pack", ImportPack},
      {"Pad", ImportPad},
      {"PadV2", ImportPad},
      {"PlaceholderWithDefault", ImportIdentity},
      {"Pow", ImportPower},
      {"PreventGradient", ImportIdentity},
      {"Prod", ImportProd},
      {"Range", ImportRange},
      {"ReadVariableOp", ImportReadVariable},
      {"RealDiv", ImportRealDiv},
      {"Reciprocal", ImportPointwise},
      {"Relu", ImportActivation},
      {"Relu6", ImportPointwise},
      {"Reshape", ImportReshape},
      {"ResizeBilinear", ImportResize},
      {"ResizeNearestNeighbor", ImportResize},
      {"ResourceGather", ImportGather},
      {"Rsqrt", ImportPointwise},
      {"Select", ImportSelect},
      {"SelectV2", ImportSelect},
      {"Selu", ImportPointwise},
      {"Shape", ImportShape},
      {"Sigmoid", ImportActivation},
      {"Slice", ImportSlice},
      {"Snapshot", ImportIdentity},
      {"Softmax", ImportActivation},
      {"Softplus", ImportPointwise},
      {"Softsign", ImportPointwise},
      {"SpaceToBatchND", ImportSpaceToBatch},
      {"Sqrt", ImportPointwise},
      {"Square", ImportPointwise},
      {"SquaredDifference", ImportSquaredDifference},
      {"Squeeze", ImportSqueeze},
      {"StopGradient", ImportIdentity},
      {"StridedSlice", ImportStridedSlice},
      {"Sub", ImportSub},
      {"Sum", ImportReduction},
      {"Tanh", ImportActivation},
      {"Tile", ImportTile},
      {"Transpose", ImportTranspose},
      {"VarHandleOp", ImportVarHandle},
      {"Variable", ImportVariable},
      {"VariableV2", ImportVariable},
      {"ZerosLike", ImportZerosLike},
  };
  return Find(kHandlers, op);
}

ManyOutputsHandler FindManyOutputs(std::string_view op) {
  static constexpr std::pair<std::string_view, ManyOutputsHandler> kHandlers[] = {
      {"IdentityN", ImportIdentityN},
      {"Merge", ImportMerge},
      {"ParseExample", ImportParseExample},
      {"ParseExampleV2", ImportParseExample},
      {"RefMerge", ImportMerge},
      {"RefSwitch", ImportSwitch},
      {"Split", ImportSplit},
      {"Switch", ImportSwitch},
      {"Unpack", ImportUnpack},
  };
  return Find(kHandlers, op);
}

}  // namespace headrace::savedmodel
