#include "serving/codec/classify.h"

namespace headrace::serving {
namespace {

std::string OutputsOf(const Signature& signature) {
  std::string text;
  for (const TensorInfo& output : signature.outputs)
    text += (text.empty() ? "" : ", ") + output.name + " " + output.shape.ToString();
  return text;
}

int FindOutput(const Signature& signature, const char* name) {
  for (size_t i = 0; i < signature.outputs.size(); ++i)
    if (signature.outputs[i].name == name || signature.outputs.size() == 1) return static_cast<int>(i);
  return -1;
}

Status RequireFloat(const TensorInfo& output) {
  if (output.dtype == DType::kFloat32) return {};
  return Fail(ErrorCode::kInvalidArgument, "Expected output Tensor of DT_FLOAT but got {} ({})", NameOf(output.dtype),
              output.name);
}

}  // namespace

Result<size_t> ClassifyOutput(const Signature& signature) {
  const int found = FindOutput(signature, "scores");
  if (found < 0)
    return Fail(ErrorCode::kInvalidArgument,
                "Expected classification signature outputs to contain at least one of \"classes\" or \"scores\". "
                "Signature was: {} with outputs {}",
                signature.name, OutputsOf(signature));
  const TensorInfo& scores = signature.outputs[static_cast<size_t>(found)];
  HEADRACE_TRY(RequireFloat(scores));
  if (scores.shape.rank() != 2)
    return Fail(ErrorCode::kInvalidArgument, "Expected Tensor shape: [batch_size num_classes] but got {} ({})",
                scores.shape.ToString(), scores.name);
  return static_cast<size_t>(found);
}

Result<std::optional<size_t>> ClassesOutput(const Signature& signature) {
  HEADRACE_ASSIGN(const size_t scores, ClassifyOutput(signature));
  for (size_t i = 0; i < signature.outputs.size(); ++i) {
    const TensorInfo& classes = signature.outputs[i];
    if (classes.name != "classes" || signature.LabelsOf(i) == nullptr) continue;
    if (classes.shape != signature.outputs[scores].shape)
      return Fail(ErrorCode::kInvalidArgument, "output 'classes' has shape {}, wanted the scores' {}",
                  classes.shape.ToString(), signature.outputs[scores].shape.ToString());
    return std::optional(i);
  }
  return std::optional<size_t>();
}

Result<size_t> RegressOutput(const Signature& signature) {
  const int found = FindOutput(signature, "outputs");
  if (found < 0)
    return Fail(ErrorCode::kInvalidArgument, "No regression outputs found in SignatureDef: {} with outputs {}",
                signature.name, OutputsOf(signature));
  const TensorInfo& values = signature.outputs[static_cast<size_t>(found)];
  HEADRACE_TRY(RequireFloat(values));
  const size_t rank = values.shape.rank();
  if (rank != 1 && !(rank == 2 && values.shape[1] == 1))
    return Fail(ErrorCode::kInvalidArgument,
                "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {} ({})",
                values.shape.ToString(), values.name);
  return static_cast<size_t>(found);
}

Status CheckMethodName(const Signature& signature, const std::string& method) {
  const std::string wanted = "tensorflow/serving/" + method;
  if (signature.method_name == wanted) return {};
  const char* kind = method == "classify" ? "classification" : method == "regress" ? "regression" : "prediction";
  return Fail(ErrorCode::kInvalidArgument, "Expected {} signature method_name to be {}. Was: {}", kind, wanted,
              signature.method_name);
}

}  // namespace headrace::serving
