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
      {"AddV2", ImportAdd},
      {"AvgPool", ImportAvgPool},
      {"BiasAdd", ImportBiasAdd},
      {"Cast", ImportCast},
      {"ConcatV2", ImportConcat},
      {"Const", ImportConst},
      {"Conv2D", ImportConv2D},
      {"DepthwiseConv2dNative", ImportDepthwise},
      {"Elu", ImportActivation},
      {"Exp", ImportPointwise},
      {"ExpandDims", ImportExpandDims},
      {"FusedBatchNorm", ImportBatchNorm},
      {"FusedBatchNormV2", ImportBatchNorm},
      {"FusedBatchNormV3", ImportBatchNorm},
      {"Identity", ImportIdentity},
      {"LeakyRelu", ImportPointwise},
      {"Log", ImportPointwise},
      {"LogicalNot", ImportLogicalNot},
      {"MatMul", ImportMatMul},
      {"Max", ImportMax},
      {"MaxPool", ImportMaxPool},
      {"Maximum", ImportMinMax},
      {"Mean", ImportMean},
      {"Minimum", ImportMinMax},
      {"Mul", ImportMul},
      {"Neg", ImportPointwise},
      {"Pack", ImportPack},
      {"Pad", ImportPad},
      {"PadV2", ImportPad},
      {"PlaceholderWithDefault", ImportIdentity},
      {"PreventGradient", ImportIdentity},
      {"Prod", ImportProd},
      {"ReadVariableOp", ImportReadVariable},
      {"RealDiv", ImportRealDiv},
      {"Relu", ImportActivation},
      {"Relu6", ImportPointwise},
      {"Reshape", ImportReshape},
      {"Rsqrt", ImportPointwise},
      {"Selu", ImportPointwise},
      {"Shape", ImportShape},
      {"Sigmoid", ImportActivation},
      {"Snapshot", ImportIdentity},
      {"Softmax", ImportActivation},
      {"Softplus", ImportPointwise},
      {"Softsign", ImportPointwise},
      {"Sqrt", ImportPointwise},
      {"Square", ImportPointwise},
      {"Squeeze", ImportSqueeze},
      {"StopGradient", ImportIdentity},
      {"StridedSlice", ImportStridedSlice},
      {"Sub", ImportSub},
      {"Tanh", ImportActivation},
      {"Transpose", ImportTranspose},
      {"VarHandleOp", ImportVarHandle},
      {"Variable", ImportVariable},
      {"VariableV2", ImportVariable},
  };
  return Find(kHandlers, op);
}

ManyOutputsHandler FindManyOutputs(std::string_view op) {
  static constexpr std::pair<std::string_view, ManyOutputsHandler> kHandlers[] = {
      {"IdentityN", ImportIdentityN}, {"Merge", ImportMerge},   {"RefMerge", ImportMerge},
      {"RefSwitch", ImportSwitch},    {"Switch", ImportSwitch},
  };
  return Find(kHandlers, op);
}

}  // namespace headrace::savedmodel
