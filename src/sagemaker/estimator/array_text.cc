#include "sagemaker/estimator/array_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {
namespace {

constexpr size_t kMaxRank = 32;

size_t BytesOf(DType dtype) {
  switch (dtype) {
    case DType::kUInt8:
      return 1;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kInt64:
      return 8;
    case DType::kBFloat16:
      break;
  }
  ThrowInvalid("tensor: found bfloat16, wanted float32, uint8, int32 or int64");
}

void CheckSize(const TensorView& array) {
  BytesOf(array.dtype());
  int64_t size = 1;
  for (const int64_t dim : array.dims()) {
    if (dim < 0 || __builtin_mul_overflow(size, dim, &size))
      ThrowInvalid("tensor: found a dimension of " + std::to_string(dim));
  }
  if (size != array.size())
    ThrowInvalid(fmt::format("tensor: found {} values, wanted {}, the product of its dimensions", array.size(), size));
}

template <typename T>
void AppendNumber(std::string& text, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) {
      text += "NaN";
      return;
    }
    if (std::isinf(value)) {
      text += value < 0 ? "-Infinity" : "Infinity";
      return;
    }
  }
  char number[32];
  text.append(number, std::to_chars(number, number + sizeof number, value).ptr);
}

template <typename T>
void AppendNested(std::string& text, const T*& values, const std::vector<int64_t>& dims, size_t axis) {
  if (axis == dims.size()) return AppendNumber(text, *values++);
  text += '[';
  for (int64_t i = 0; i < dims[axis]; ++i) {
    if (i > 0) text += ',';
    AppendNested(text, values, dims, axis + 1);
  }
  text += ']';
}

template <typename T>
void AppendRows(std::string& text, const T* values, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      if (i > 0) text += ',';
      AppendNumber(text, values[row * width + i]);
    }
    text += '\n';
  }
}

// Calls `use` with the values under their type.
template <typename Use>
void WithValues(const TensorView& array, Use use) {
  switch (array.dtype()) {
    case DType::kUInt8:
      return use(static_cast<const uint8_t*>(array.data()));
    case DType::kInt32:
      return use(static_cast<const int32_t*>(array.data()));
    case DType::kInt64:
      return use(static_cast<const int64_t*>(array.data()));
    default:
      return use(static_cast<const float*>(array.data()));
  }
}

[[noreturn]] void ThrowUnlike(const std::string& what) {
  throw Error(ErrorCode::kDataLoss,
              "prediction: found " + what +
                  ", wanted nested lists of numbers, all of one shape; ask with a body of your own for other replies");
}

void ReadNested(const Json& value, size_t axis, Array& array) {
  if (axis >= kMaxRank) ThrowUnlike("lists nested too deeply");
  if (!value.is_array()) {
    if (axis != array.dims.size()) ThrowUnlike("rows of different shapes");
    if (!value.is_number()) ThrowUnlike("a " + std::string(value.type_name()));
    array.values.push_back(value.get<float>());
    return;
  }
  const auto size = static_cast<int64_t>(value.size());
  if (axis == array.dims.size()) {
    if (!array.values.empty()) ThrowUnlike("rows of different shapes");
    array.dims.push_back(size);
  } else if (array.dims[axis] != size) {
    ThrowUnlike("rows of different lengths");
  }
  for (const Json& element : value) ReadNested(element, axis + 1, array);
}

}  // namespace

std::string ArrayAsJson(const TensorView& array) {
  CheckSize(array);
  std::string text;
  text.reserve(static_cast<size_t>(array.size()) * 10);
  WithValues(array, [&](const auto* values) { AppendNested(text, values, array.dims(), 0); });
  return text;
}

std::string ArrayAsCsv(const TensorView& array) {
  CheckSize(array);
  std::string text;
  const int64_t rows = array.dims().empty() ? 1 : array.dims()[0];
  if (rows > 0) WithValues(array, [&](const auto* values) { AppendRows(text, values, rows, array.size() / rows); });
  return text;
}

std::string ArrayAsNpy(const TensorView& array) {
  CheckSize(array);
  static_assert(std::endian::native == std::endian::little);
  const char* type = array.dtype() == DType::kUInt8   ? "|u1"
                     : array.dtype() == DType::kInt32 ? "<i4"
                     : array.dtype() == DType::kInt64 ? "<i8"
                                                      : "<f4";
  std::string shape;
  for (const int64_t dim : array.dims()) shape += std::to_string(dim) + ",";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, shape);
  constexpr size_t kPrefix = 10, kAlignment = 64;
  header.append(kAlignment - (kPrefix + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy += static_cast<char>(header.size() & 0xff);
  npy += static_cast<char>(header.size() >> 8);
  npy += header;
  npy.append(static_cast<const char*>(array.data()), static_cast<size_t>(array.size()) * BytesOf(array.dtype()));
  return npy;
}

Array ArrayOfJson(std::string_view body) {
  const Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) ThrowUnlike("text that is not JSON");
  const Json* values = &document;
  for (const char* name : {"predictions", "outputs"}) {
    if (document.is_object() && document.contains(name)) values = &document[name];
  }
  if (!values->is_array()) ThrowUnlike("a " + std::string(values->type_name()));
  Array array;
  ReadNested(*values, 0, array);
  return array;
}

}  // namespace headrace::sagemaker
