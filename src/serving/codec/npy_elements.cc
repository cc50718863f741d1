#include "serving/codec/npy_elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace headrace::serving {
namespace {

// IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
float FloatFromHalf(uint16_t half) {
  const int exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 0x1f) {
    const uint32_t bits = (half & 0x8000u) << 16 | 0x7f800000u | static_cast<uint32_t>(fraction) << 13;
    return std::bit_cast<float>(bits);
  }
  return sign * std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
}

struct Half {
  uint16_t bits;
};
struct Truth {
  uint8_t byte;
};

template <typename To, typename From>
To ElementAs(From value) {
  if constexpr (std::is_same_v<From, Half>)
    return FloatFromHalf(value.bits);
  else if constexpr (std::is_same_v<From, Truth>)
    return value.byte != 0 ? 1.0f : 0.0f;
  else
    return static_cast<To>(value);
}

template <typename From>
From Load(const char* at, bool swapped) {
  char bytes[sizeof(From)];
  std::memcpy(bytes, at, sizeof bytes);
  if (swapped) std::reverse(bytes, bytes + sizeof bytes);
  return std::bit_cast<From>(bytes);
}

template <typename From, typename To>
void Convert(const char* data, bool swapped, Tensor& tensor) {
  To* out = tensor.data<To>();
  const int64_t count = tensor.size();
  if (swapped)
    for (int64_t i = 0; i < count; ++i) out[i] = ElementAs<To>(Load<From>(data + i * int64_t{sizeof(From)}, true));
  else
    for (int64_t i = 0; i < count; ++i) out[i] = ElementAs<To>(Load<From>(data + i * int64_t{sizeof(From)}, false));
}

void ConvertFloats(const NpyElement& element, const char* data, Tensor& tensor) {
  if (element.size == 2) return Convert<Half, float>(data, element.swapped, tensor);
  if (element.size == 4) return Convert<float, float>(data, element.swapped, tensor);
  Convert<double, float>(data, element.swapped, tensor);
}

void ConvertSigned(const NpyElement& element, const char* data, Tensor& tensor) {
  if (element.size == 1) return Convert<int8_t, float>(data, false, tensor);
  if (element.size == 2) return Convert<int16_t, int32_t>(data, element.swapped, tensor);
  if (element.size == 4) return Convert<int32_t, int32_t>(data, element.swapped, tensor);
  Convert<int64_t, int64_t>(data, element.swapped, tensor);
}

void ConvertUnsigned(const NpyElement& element, const char* data, Tensor& tensor) {
  if (element.size == 1) return Convert<uint8_t, uint8_t>(data, false, tensor);
  if (element.size == 2) return Convert<uint16_t, int32_t>(data, element.swapped, tensor);
  if (element.size == 4) return Convert<uint32_t, int64_t>(data, element.swapped, tensor);
  Convert<uint64_t, int64_t>(data, element.swapped, tensor);
}

// Of uint64, what is beyond int64 has become negative.
Status CheckUnsigned(const NpyElement& element, const Tensor& tensor) {
  if (element.kind != 'u' || element.size != 8) return {};
  const auto* values = tensor.data<int64_t>();
  if (std::all_of(values, values + tensor.size(), [](int64_t value) { return value >= 0; })) return {};
  return Fail(ErrorCode::kInvalidArgument, "application/x-npy: it has a uint64 above {}, wanted numbers of int64",
              std::numeric_limits<int64_t>::max());
}

// `tensor` holds the elements with the first axis moving fastest; the result has the last axis moving fastest.
template <typename T>
Tensor InCOrder(const Tensor& tensor, const std::vector<int64_t>& shape) {
  Tensor result(tensor.dtype(), Shape(shape));
  const size_t rank = shape.size();
  std::vector<int64_t> strides(rank, 1), at(rank, 0);
  for (size_t axis = 1; axis < rank; ++axis) strides[axis] = strides[axis - 1] * shape[axis - 1];
  const T* in = tensor.data<T>();
  T* out = result.data<T>();
  const int64_t inner = shape[rank - 1], step = strides[rank - 1];
  for (int64_t done = 0, from = 0; done < result.size(); done += inner) {
    for (int64_t i = 0; i < inner; ++i) out[done + i] = in[from + i * step];
    for (size_t axis = rank - 1; axis-- > 0;) {
      from += strides[axis];
      if (++at[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return result;
}

Tensor InCOrderOf(const Tensor& tensor, const std::vector<int64_t>& shape) {
  if (SizeOf(tensor.dtype()) == 8) return InCOrder<int64_t>(tensor, shape);
  if (tensor.dtype() == DType::kUInt8) return InCOrder<uint8_t>(tensor, shape);
  if (tensor.dtype() == DType::kInt32) return InCOrder<int32_t>(tensor, shape);
  return InCOrder<float>(tensor, shape);
}

std::optional<DType> TensorType(char kind, size_t size) {
  if (kind == 'f' && (size == 2 || size == 4 || size == 8)) return DType::kFloat32;
  if (kind == 'b' && size == 1) return DType::kFloat32;
  if (kind != 'i' && kind != 'u') return std::nullopt;
  if (size == 1) return kind == 'u' ? DType::kUInt8 : DType::kFloat32;
  if (size == 2 || (size == 4 && kind == 'i')) return DType::kInt32;
  return size == 4 || size == 8 ? std::optional(DType::kInt64) : std::nullopt;
}

}  // namespace

bool NpyElement::plain() const {
  if (swapped) return false;
  return (kind == 'f' && size == 4) || (kind == 'u' && size == 1) || (kind == 'i' && size >= 4);
}

std::optional<NpyElement> ParseDescr(std::string_view descr) {
  if (descr.size() != 3 || descr[2] < '1' || descr[2] > '8') return std::nullopt;
  NpyElement element{.kind = descr[1], .size = static_cast<size_t>(descr[2] - '0')};
  const auto dtype = TensorType(element.kind, element.size);
  if (!dtype || std::string_view("<>=|").find(descr[0]) == std::string_view::npos) return std::nullopt;
  if (descr[0] == '|' && element.size > 1) return std::nullopt;
  constexpr char kOther = std::endian::native == std::endian::little ? '>' : '<';
  element.swapped = descr[0] == kOther && element.size > 1;
  element.dtype = *dtype;
  return element;
}

Result<Tensor> ReadNpyElements(const NpyElement& element, const std::vector<int64_t>& shape, bool fortran,
                               std::string_view data) {
  Tensor tensor(element.dtype, Shape(shape));
  if (element.plain())
    std::memcpy(tensor.raw(), data.data(), data.size());
  else if (element.kind == 'f')
    ConvertFloats(element, data.data(), tensor);
  else if (element.kind == 'b')
    Convert<Truth, float>(data.data(), false, tensor);
  else if (element.kind == 'i')
    ConvertSigned(element, data.data(), tensor);
  else
    ConvertUnsigned(element, data.data(), tensor);
  HEADRACE_TRY(CheckUnsigned(element, tensor));
  if (!fortran || shape.size() < 2 || tensor.size() == 0) return tensor;
  return InCOrderOf(tensor, shape);
}

}  // namespace headrace::serving
