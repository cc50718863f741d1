#include "serving/codec/proto_request.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "savedmodel/tensor_proto.h"
#include "serving/codec/classify.h"
#include "serving/codec/string_decoder.h"

namespace headrace::serving {
namespace {

std::string Braced(const std::set<std::string>& names) {
  std::string text = "{";
  for (const std::string& name : names) text += (text.size() > 1 ? "," : "") + name;
  return text + "}";
}

// In TensorFlow Serving's words.
Status CheckNames(const tfs::PredictRequest& request, const Signature& signature) {
  std::set<std::string> sent, wanted, extra, missing;
  for (const auto& [name, tensor] : request.inputs()) sent.insert(name.substr(0, 100));
  for (const TensorInfo& input : signature.inputs) wanted.insert(input.name);
  std::set_difference(sent.begin(), sent.end(), wanted.begin(), wanted.end(), std::inserter(extra, extra.end()));
  std::set_difference(wanted.begin(), wanted.end(), sent.begin(), sent.end(), std::inserter(missing, missing.end()));
  if (extra.empty() && missing.empty()) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "input size does not match signature: {}!={} len({}) != len({}). Sent extra: {}. Missing but required: "
              "{}.",
              sent.size(), wanted.size(), Braced(sent), Braced(wanted), Braced(extra), Braced(missing));
}

Status CheckShape(const Shape& found, const TensorInfo& input) {
  bool fits = found.rank() == input.shape.rank() && found[0] > 0;
  for (size_t axis = 1; fits && axis < found.rank(); ++axis) fits = found[axis] == input.shape[axis];
  if (fits) return {};
  return Fail(ErrorCode::kInvalidArgument, "input '{}': found shape {}, wanted {}", input.name, found.ToString(),
              input.shape.ToString());
}

tl::unexpected<Error> FailType(const tf::TensorProto& proto, const TensorInfo& input, tf::DataType wanted) {
  return Fail(ErrorCode::kInvalidArgument, "input '{}': found {}, wanted {}", input.name,
              tf::DataType_IsValid(proto.dtype()) ? tf::DataType_Name(proto.dtype())
                                                  : "type " + std::to_string(static_cast<int>(proto.dtype())),
              tf::DataType_Name(wanted));
}

// Strings of a shape that has one a row.
Status DecodeStrings(const tf::TensorProto& proto, const TensorInfo& input, StringDecoder& decoder) {
  if (proto.dtype() != tf::DT_STRING) return FailType(proto, input, tf::DT_STRING);
  HEADRACE_ASSIGN(const Shape shape, savedmodel::ShapeFromProto(proto.tensor_shape(), "input '" + input.name + "'"));
  HEADRACE_TRY(CheckShape(shape, input));
  if (proto.string_val_size() != shape[0])
    return Fail(ErrorCode::kInvalidArgument, "input '{}': {} strings in string_val for shape {}, wanted {}", input.name,
                proto.string_val_size(), shape.ToString(), shape[0]);
  for (const std::string& bytes : proto.string_val()) HEADRACE_TRY(decoder.Add(bytes));
  return {};
}

Result<Tensor> InputTensor(const tf::TensorProto& proto, const TensorInfo& input, size_t max_bytes) {
  const std::string what = "input '" + input.name + "'";
  const tf::DataType wanted = savedmodel::ToProto(input.dtype);
  if (proto.dtype() != wanted) return FailType(proto, input, wanted);
  HEADRACE_ASSIGN(const Shape shape, savedmodel::ShapeFromProto(proto.tensor_shape(), what));
  HEADRACE_TRY(CheckShape(shape, input));
  return savedmodel::TensorFromProto(proto, what, max_bytes);
}

template <typename T, typename Values>
Status CopyValues(const Values& values, const TensorInfo& input, int64_t row, Tensor& tensor) {
  const int64_t size = RowElements(input.shape);
  if (values.size() != size)
    return Fail(ErrorCode::kInvalidArgument, "example {}: feature '{}' has {} values, wanted {} ({})", row, input.name,
                values.size(), size, input.shape.ToString());
  std::transform(values.begin(), values.end(), tensor.data<T>() + row * size,
                 [](const auto value) { return static_cast<T>(value); });
  return {};
}

template <typename Values>
Status CopyNumbers(const Values& values, const TensorInfo& input, int64_t row, Tensor& tensor) {
  switch (input.dtype) {
    case DType::kUInt8:
      return CopyValues<uint8_t>(values, input, row, tensor);
    case DType::kInt32:
      return CopyValues<int32_t>(values, input, row, tensor);
    case DType::kInt64:
      return CopyValues<int64_t>(values, input, row, tensor);
    default:
      return CopyValues<float>(values, input, row, tensor);
  }
}

// The little-endian bytes of one row.
Status CopyBytes(const tf::BytesList& list, const TensorInfo& input, int64_t row, Tensor& tensor) {
  const int64_t size = RowElements(input.shape);
  const size_t wanted = static_cast<size_t>(size) * SizeOf(input.dtype);
  if (list.value_size() != 1 || list.value(0).size() != wanted)
    return Fail(ErrorCode::kInvalidArgument, "example {}: feature '{}' is not one value of {} bytes ({} of shape {})",
                row, input.name, wanted, NameOf(input.dtype), input.shape.ToString());
  Tensor own = tensor.Slice(row, row + 1);
  std::memcpy(own.raw(), list.value(0).data(), wanted);
  return {};
}

Status CopyFeature(const tf::Feature& feature, const TensorInfo& input, int64_t row, Tensor& tensor) {
  switch (feature.kind_case()) {
    case tf::Feature::kFloatList:
      if (input.dtype != DType::kFloat32)
        return Fail(ErrorCode::kInvalidArgument, "example {}: feature '{}' is a float list, wanted {}", row, input.name,
                    NameOf(input.dtype));
      return CopyNumbers(feature.float_list().value(), input, row, tensor);
    case tf::Feature::kInt64List:
      return CopyNumbers(feature.int64_list().value(), input, row, tensor);
    case tf::Feature::kBytesList:
      return CopyBytes(feature.bytes_list(), input, row, tensor);
    default:
      return Fail(ErrorCode::kInvalidArgument, "example {}: feature '{}' is empty", row, input.name);
  }
}

const tf::Feature* FindFeature(const tf::Example& example, const std::string& name) {
  const auto& features = example.features().feature();
  const auto at = features.find(name);
  return at == features.end() ? nullptr : &at->second;
}

// Examples as the strings of the only input. A context's features come first: where an example has them too, later
// ones count.
Result<PredictInputs> SerializedExamples(const google::protobuf::RepeatedPtrField<tf::Example>& examples,
                                         const tf::Example& context, const Signature& signature) {
  if (signature.inputs.size() != 1)
    return Fail(ErrorCode::kInvalidArgument, "Expected one input Tensor, of strings; signature '{}' has {} inputs",
                signature.name, signature.inputs.size());
  const std::string shared = context.SerializeAsString();
  StringDecoder decoder(signature, 0);
  for (const tf::Example& example : examples) {
    std::string bytes = shared;
    example.AppendToString(&bytes);
    HEADRACE_TRY(decoder.Add(bytes));
  }
  PredictInputs inputs;
  inputs.tensors.resize(signature.GraphInputs().size());
  decoder.Finish(inputs.tensors);
  return inputs;
}

void SetStrings(const Tensor& numbers, const Labels& labels, tf::TensorProto& proto) {
  proto.set_dtype(tf::DT_STRING);
  savedmodel::ToProto(numbers.shape(), proto.mutable_tensor_shape());
  for (int64_t i = 0; i < numbers.size(); ++i)
    proto.add_string_val(labels[static_cast<size_t>(numbers.data<int32_t>()[i])]);
}

}  // namespace

Result<PredictInputs> ProtoInputs(const tfs::PredictRequest& request, const Signature& signature, size_t max_bytes) {
  HEADRACE_TRY(CheckNames(request, signature));
  PredictInputs inputs;
  inputs.tensors.resize(signature.GraphInputs().size());
  std::optional<int64_t> rows;
  for (size_t i = 0; i < signature.inputs.size(); ++i) {
    const TensorInfo& input = signature.inputs[i];
    const tf::TensorProto& proto = request.inputs().at(input.name);
    int64_t own = 0;
    if (signature.TakesStrings(i)) {
      StringDecoder decoder(signature, i);
      HEADRACE_TRY(DecodeStrings(proto, input, decoder));
      decoder.Finish(inputs.tensors);
      own = decoder.rows();
    } else {
      Tensor& tensor = inputs.tensors[signature.GraphInput(i)];
      HEADRACE_ASSIGN(tensor, InputTensor(proto, input, max_bytes));
      own = tensor.dim(0);
    }
    if (own != rows.value_or(own))
      return Fail(ErrorCode::kInvalidArgument, "input '{}' has {} rows, '{}' has {}", input.name, own,
                  signature.inputs[0].name, *rows);
    rows = own;
  }
  return inputs;
}

Result<PredictInputs> ExampleInputs(const tfs::Input& input, const Signature& signature) {
  const bool with_context = input.has_example_list_with_context();
  const auto& examples = with_context ? input.example_list_with_context().examples() : input.example_list().examples();
  const tf::Example& context = input.example_list_with_context().context();
  if (examples.empty()) return Fail(ErrorCode::kInvalidArgument, "Input is empty.");
  if (!signature.strings.empty()) return SerializedExamples(examples, context, signature);
  PredictInputs inputs;
  for (const TensorInfo& info : signature.inputs) {
    if (examples.size() > kMaxElements / std::max<int64_t>(RowElements(info.shape), 1))
      return Fail(ErrorCode::kResourceExhausted, "input '{}': more than {} elements", info.name, kMaxElements);
    // Before any memory is taken for all rows.
    for (int row = 0; row < examples.size(); ++row)
      if (FindFeature(examples[row], info.name) == nullptr && FindFeature(context, info.name) == nullptr)
        return Fail(ErrorCode::kInvalidArgument, "example {}: Missing named input: {}", row, info.name);
    Tensor tensor(info.dtype, WithRows(info.shape, examples.size()));
    for (int row = 0; row < examples.size(); ++row) {
      const tf::Feature* own = FindFeature(examples[row], info.name);
      HEADRACE_TRY(CopyFeature(own != nullptr ? *own : *FindFeature(context, info.name), info, row, tensor));
    }
    inputs.tensors.push_back(std::move(tensor));
  }
  return inputs;
}

Status SetOutputs(const Signature& signature, const std::vector<Tensor>& outputs, tfs::PredictResponse& response,
                  const std::vector<std::string>& filter) {
  for (const std::string& name : filter)
    if (std::none_of(signature.outputs.begin(), signature.outputs.end(),
                     [&](const TensorInfo& output) { return output.name == name; }))
      return Fail(ErrorCode::kInvalidArgument,
                  "output tensor alias not found in signature: {} Outputs expected to be "
                  "in the set {{{}}}.",
                  name.substr(0, 100), signature.outputs[0].name);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = signature.outputs[i].name;
    if (!filter.empty() && std::find(filter.begin(), filter.end(), name) == filter.end()) continue;
    tf::TensorProto& proto = (*response.mutable_outputs())[name];
    if (const Labels* labels = signature.LabelsOf(i)) {
      SetStrings(outputs[i], *labels, proto);
      continue;
    }
    proto.set_dtype(savedmodel::ToProto(outputs[i].dtype()));
    savedmodel::ToProto(outputs[i].shape(), proto.mutable_tensor_shape());
    if (outputs[i].dtype() == DType::kFloat32) {
      const float* values = outputs[i].data<float>();
      proto.mutable_float_val()->Add(values, values + outputs[i].size());
    } else {
      proto.set_tensor_content(outputs[i].raw(), outputs[i].bytes());
    }
  }
  return {};
}

Status SetClassifications(const Signature& signature, const std::vector<Tensor>& outputs,
                          tfs::ClassificationResult& result) {
  HEADRACE_ASSIGN(const size_t scores, ClassifyOutput(signature));
  HEADRACE_ASSIGN(const auto classes, ClassesOutput(signature));
  const float* score = outputs[scores].data<float>();
  const int32_t* number = classes ? outputs[*classes].data<int32_t>() : nullptr;
  const int64_t count = outputs[scores].size() / outputs[scores].dim(0);
  for (int64_t row = 0; row < outputs[scores].dim(0); ++row) {
    tfs::Classifications& classifications = *result.add_classifications();
    for (int64_t c = 0; c < count; ++c) {
      tfs::Class& made = *classifications.add_classes();
      made.set_score(*score++);
      if (number != nullptr) made.set_label((*signature.LabelsOf(*classes))[static_cast<size_t>(*number++)]);
    }
  }
  return {};
}

void SetRegressions(const Tensor& values, tfs::RegressionResult& result) {
  for (int64_t row = 0; row < values.size(); ++row) result.add_regressions()->set_value(values.data<float>()[row]);
}

}  // namespace headrace::serving
