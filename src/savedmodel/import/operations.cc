#include "savedmodel/import/operations.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace headrace::savedmodel {

OperationHandler FindOperation(std::string_view op) {
  static constexpr std::pair<std::string_view, OperationHandler> kHandlers[] = {
      {"Add", ImportAdd},
      {"AddV2", ImportAdd},
      {"BiasAdd", ImportBiasAdd},
      {"Const", ImportConst},
      {"Conv2D", ImportConv2D},
      {"Elu", ImportActivation},
      {"FusedBatchNorm", ImportBatchNorm},
      {"FusedBatchNormV2", ImportBatchNorm},
      {"FusedBatchNormV3", ImportBatchNorm},
      {"Identity", ImportIdentity},
      {"MatMul", ImportMatMul},
      {"MaxPool", ImportMaxPool},
      {"Mean", ImportMean},
      {"Mul", ImportMul},
      {"Pad", ImportPad},
      {"PadV2", ImportPad},
      {"PlaceholderWithDefault", ImportIdentity},
      {"ReadVariableOp", ImportReadVariable},
      {"RealDiv", ImportRealDiv},
      {"Relu", ImportActivation},
      {"Reshape", ImportReshape},
      {"Rsqrt", ImportRsqrt},
      {"Sigmoid", ImportActivation},
      {"Softmax", ImportActivation},
      {"StopGradient", ImportIdentity},
      {"Sub", ImportSub},
      {"Tanh", ImportActivation},
      {"VarHandleOp", ImportVarHandle},
      {"Variable", ImportVariable},
      {"VariableV2", ImportVariable},
  };
  const auto* found = std::find_if(std::begin(kHandlers), std::end(kHandlers),
                                   [&](const auto& handler) { return handler.first == op; });
  return found == std::end(kHandlers) ? nullptr : found->second;
}

}  // namespace headrace::savedmodel
