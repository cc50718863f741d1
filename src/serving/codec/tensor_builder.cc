#include "serving/codec/tensor_builder.h"

#include <cstring>
#include <utility>

#include "serving/codec/base64.h"
#include "serving/codec/json_text.h"
#include "serving/codec/quick_row.h"

namespace headrace::serving {
namespace {

namespace ondemand = simdjson::ondemand;

// A list whose first element is no list.
bool IsFlatList(ondemand::value& value) {
  const char* at = value.raw_json_token().data();
  if (*at++ != '[') return false;
  while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') ++at;
  return *at != '[';
}

const char* TypeName(ondemand::json_type type) {
  switch (type) {
    case ondemand::json_type::array:
      return "Array";
    case ondemand::json_type::object:
      return "Object";
    case ondemand::json_type::string:
      return "String";
    case ondemand::json_type::boolean:
      return "Bool";
    case ondemand::json_type::null:
      return "Null";
    default:
      return "Number";
  }
}

std::pair<int64_t, int64_t> RangeOf(DType dtype) {
  if (dtype == DType::kUInt8) return {0, 255};
  if (dtype == DType::kInt32) return {INT32_MIN, INT32_MAX};
  return {INT64_MIN, INT64_MAX};
}

}  // namespace

TensorBuilder::TensorBuilder(const Signature& signature, size_t input)
    : info_(signature.inputs[input]), place_(signature.GraphInput(input)), buffer_(info_.dtype, info_.shape) {
  if (signature.TakesStrings(input)) strings_.emplace(signature, input);
}

void TensorBuilder::Finish(std::vector<Tensor>& tensors) {
  if (strings_) return strings_->Finish(tensors);
  tensors[place_] = buffer_.Finish();
}

Status TensorBuilder::Row(ondemand::value value) {
  if (strings_) return StringRow(std::move(value), info_.shape.rank());
  HEADRACE_TRY(AddRow());
  return IsQuick(value.raw_json_token().data()) ? Status() : Level(std::move(value), 1);
}

Status TensorBuilder::Feature(ondemand::value value) {
  if (info_.shape.rank() <= 2 || !IsFlatList(value)) return Row(std::move(value));
  HEADRACE_TRY(AddRow());
  HEADRACE_JSON(ondemand::array list, value.get_array());
  return Elements(std::move(list), RowElements(info_.shape), 1);
}

Status TensorBuilder::CopyOf(const TensorBuilder& other) {
  HEADRACE_TRY(AddRow());
  std::memcpy(next_, other.buffer_.Row(0), buffer_.row_bytes());
  return {};
}

Status TensorBuilder::RowOfBase64(std::string_view base64) {
  const auto bytes = DecodeBase64(base64);
  if (!bytes) return Fail(ErrorCode::kInvalidArgument, "input '{}': its b64 is no base64", info_.name);
  return RowOfBytes(*bytes);
}

Status TensorBuilder::RowOfBytes(std::string_view bytes) {
  if (strings_) return strings_->Add(bytes);
  HEADRACE_TRY(AddRow());
  const size_t wanted = buffer_.row_bytes();
  if (bytes.size() != wanted)
    return Fail(ErrorCode::kInvalidArgument, "input '{}': {} bytes in b64, wanted {} ({} of shape {})", info_.name,
                bytes.size(), wanted, NameOf(info_.dtype), info_.shape.ToString());
  std::memcpy(next_, bytes.data(), wanted);
  return {};
}

Status TensorBuilder::AddRow() {
  next_ = buffer_.AddRow();
  if (next_ != nullptr) return {};
  return Fail(ErrorCode::kResourceExhausted, "input '{}': more than {} elements", info_.name, kMaxElements);
}

Status TensorBuilder::StringRow(ondemand::value value, size_t rank) {
  const char first = FirstOf(value);
  if (first == '"') {
    HEADRACE_JSON(const std::string_view text, value.get_string());
    return strings_->Add(text);
  }
  if (first == '{') {
    HEADRACE_JSON(ondemand::object object, value.get_object());
    HEADRACE_ASSIGN(const std::string bytes, Base64Object(std::move(object), "input '" + info_.name + "'"));
    return strings_->Add(bytes);
  }
  if (first != '[' || rank < 2)
    return Fail(ErrorCode::kInvalidArgument,
                "JSON Value: {} is not of expected type: string; wanted text or {{\"b64\": …}} (input '{}')",
                Shown(value.raw_json_token()), info_.name);
  HEADRACE_JSON(ondemand::array list, value.get_array());
  int64_t count = 0;
  for (auto element : list) {
    HEADRACE_JSON(ondemand::value only, std::move(element));
    if (count++ == 1) return FailSize(1, 1, count, true);
    HEADRACE_TRY(StringRow(std::move(only), 1));
  }
  return count == 1 ? Status() : FailSize(1, 1, count, false);
}

bool TensorBuilder::IsQuick(const char* text) {
  switch (info_.dtype) {
    case DType::kFloat32:
      return TakeRow(text, info_.shape, reinterpret_cast<float*>(next_));
    case DType::kUInt8:
      return TakeRow(text, info_.shape, reinterpret_cast<uint8_t*>(next_));
    case DType::kInt32:
      return TakeRow(text, info_.shape, reinterpret_cast<int32_t*>(next_));
    case DType::kInt64:
      return TakeRow(text, info_.shape, reinterpret_cast<int64_t*>(next_));
    default:
      return false;
  }
}

Status TensorBuilder::Level(ondemand::value value, size_t axis) {
  ondemand::json_type type;
  if (const auto code = value.type().get(type); code) type = ondemand::json_type::number;  // NaN and its like
  if (axis == info_.shape.rank()) {
    if (type == ondemand::json_type::array)
      return Fail(ErrorCode::kInvalidArgument, "Encountered list at unexpected size: more levels than {} at input '{}'",
                  info_.shape.ToString(), info_.name);
    return Number(std::move(value));
  }
  if (type != ondemand::json_type::array) {
    for (size_t rest = axis; rest < info_.shape.rank(); ++rest)
      if (info_.shape[rest] != 1)
        return Fail(ErrorCode::kInvalidArgument, "JSON Value: {} Type: {} is not a list of {} (input '{}' is {})",
                    Shown(value.raw_json_token()), TypeName(type), info_.shape[axis], info_.name,
                    info_.shape.ToString());
    return Level(std::move(value), info_.shape.rank());
  }
  HEADRACE_JSON(ondemand::array list, value.get_array());
  return axis + 1 == info_.shape.rank() ? Elements(std::move(list), info_.shape[axis], axis)
                                        : Lists(std::move(list), axis);
}

Status TensorBuilder::Lists(ondemand::array list, size_t axis) {
  const int64_t wanted = info_.shape[axis];
  int64_t count = 0;
  for (auto element : list) {
    HEADRACE_JSON(ondemand::value value, std::move(element));
    if (count++ == wanted) return FailSize(axis, wanted, count, true);
    HEADRACE_TRY(Level(std::move(value), axis + 1));
  }
  return count == wanted ? Status() : FailSize(axis, wanted, count, false);
}

Status TensorBuilder::Elements(ondemand::array list, int64_t wanted, size_t axis) {
  int64_t count = 0;
  for (auto element : list) {
    HEADRACE_JSON(ondemand::value value, std::move(element));
    if (count++ == wanted) return FailSize(axis, wanted, count, true);
    HEADRACE_TRY(Number(std::move(value)));
  }
  return count == wanted ? Status() : FailSize(axis, wanted, count, false);
}

Status TensorBuilder::FailSize(size_t axis, int64_t wanted, int64_t found, bool more) const {
  return Fail(ErrorCode::kInvalidArgument,
              "Encountered list at unexpected size: {}{} at level: {} expected size: {} (input '{}' is {})", found,
              more ? " or more" : "", axis, wanted, info_.name, info_.shape.ToString());
}

Status TensorBuilder::Number(ondemand::value value) {
  if (info_.dtype == DType::kFloat32) {
    double number;
    if (value.get_double().get(number) && !SpecialNumber(value.raw_json_token(), number)) return FailType(value);
    Put(static_cast<float>(number));
    return {};
  }
  int64_t number;
  if (value.get_int64().get(number)) return FailType(value);
  const auto [low, high] = RangeOf(info_.dtype);
  if (number < low || number > high) return FailType(value);
  if (info_.dtype == DType::kUInt8) Put(static_cast<uint8_t>(number));
  if (info_.dtype == DType::kInt32) Put(static_cast<int32_t>(number));
  if (info_.dtype == DType::kInt64) Put(number);
  return {};
}

Status TensorBuilder::FailType(ondemand::value& value) const {
  ondemand::json_type type;
  const bool unknown = value.type().get(type);
  return Fail(ErrorCode::kInvalidArgument, "JSON Value: {} Type: {} is not of expected type: {} (input '{}')",
              Shown(value.raw_json_token()), unknown ? "Unknown" : TypeName(type),
              info_.dtype == DType::kFloat32 ? "float" : NameOf(info_.dtype), info_.name);
}

}  // namespace headrace::serving
