#include "headrace/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>

#include "base/result.h"
#include "tensor/bfloat16.h"

namespace headrace {

size_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kBFloat16:
      return 2;
    case DType::kUInt8:
      return 1;
    case DType::kInt64:
      return 8;
  }
  return 0;
}

const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kUInt8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
  }
  return "?";
}

int64_t Shape::size() const {
  int64_t size = 1;
  for (const int64_t dim : dims_) {
    if (dim < 0 || __builtin_mul_overflow(size, dim, &size))
      throw MakeError(ErrorCode::kInvalidArgument, "shape {} has no size: an unknown dimension or an overflow",
                      ToString());
  }
  return size;
}

std::string Shape::ToString() const {
  std::string text = "(";
  for (size_t i = 0; i < dims_.size(); ++i) {
    if (i > 0) text += ", ";
    text += dims_[i] < 0 ? "None" : std::to_string(dims_[i]);
  }
  if (dims_.size() == 1) text += ",";
  return text + ")";
}

namespace {

constexpr size_t kAlignment = 64;

std::shared_ptr<void> Allocate(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
  if (memory == nullptr) throw MakeError(ErrorCode::kResourceExhausted, "cannot allocate a tensor of {} bytes", bytes);
  return {memory, std::free};
}

template <typename T>
constexpr DType kDTypeOf = DType::kFloat32;
template <>
constexpr DType kDTypeOf<uint16_t> = DType::kBFloat16;
template <>
constexpr DType kDTypeOf<uint8_t> = DType::kUInt8;
template <>
constexpr DType kDTypeOf<int32_t> = DType::kInt32;
template <>
constexpr DType kDTypeOf<int64_t> = DType::kInt64;

template <typename T>
Tensor CopyOf(const std::vector<T>& values, Shape shape) {
  Tensor tensor(kDTypeOf<T>, std::move(shape));
  if (tensor.size() != static_cast<int64_t>(values.size()))
    throw MakeError(ErrorCode::kInvalidArgument, "{} values do not fill a tensor of shape {}", values.size(),
                    tensor.shape().ToString());
  std::copy(values.begin(), values.end(), tensor.data<T>());
  return tensor;
}

// The language leaves open what becomes of a number that does not fit.
template <typename To, typename From>
To Saturated(From value) {
  using Limits = std::numeric_limits<To>;
  if (std::isnan(value)) return 0;
  if (value <= static_cast<From>(Limits::min())) return Limits::min();
  if (value >= static_cast<From>(Limits::max())) return Limits::max();
  return static_cast<To>(value);
}

template <typename From, typename To>
To Convert(From value) {
  if constexpr (std::is_same_v<From, uint16_t>)
    return Convert<float, To>(FloatFromBFloat16(value));
  else if constexpr (std::is_same_v<To, uint16_t>)
    return BFloat16FromFloat(static_cast<float>(value));
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return Saturated<To>(value);
  else
    return static_cast<To>(value);
}

// Calls visit(T{}) with the element type of `dtype`.
template <typename Visit>
void VisitDType(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(float{});
    case DType::kBFloat16:
      return visit(uint16_t{});
    case DType::kUInt8:
      return visit(uint8_t{});
    case DType::kInt32:
      return visit(int32_t{});
    case DType::kInt64:
      return visit(int64_t{});
  }
}

}  // namespace

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)), size_(shape_.size()) {
  owner_ = Allocate(bytes());
  data_ = owner_.get();
}

Tensor Tensor::Zeros(DType dtype, Shape shape) {
  Tensor tensor(dtype, std::move(shape));
  std::memset(tensor.data_, 0, tensor.bytes());
  return tensor;
}

Tensor Tensor::FromVector(const std::vector<float>& values, Shape shape) { return CopyOf(values, std::move(shape)); }
Tensor Tensor::FromVector(const std::vector<int64_t>& values, Shape shape) { return CopyOf(values, std::move(shape)); }
Tensor Tensor::Scalar(float value) { return CopyOf(std::vector<float>{value}, Shape{}); }
Tensor Tensor::Scalar(int64_t value) { return CopyOf(std::vector<int64_t>{value}, Shape{}); }

Tensor Tensor::View(DType dtype, Shape shape, void* data, std::shared_ptr<void> owner) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.size_ = tensor.shape_.size();
  tensor.data_ = data;
  tensor.owner_ = std::move(owner);
  return tensor;
}

template <typename T>
T* Tensor::data() {
  return const_cast<T*>(static_cast<const Tensor*>(this)->data<T>());
}

template <typename T>
const T* Tensor::data() const {
  if (dtype_ != kDTypeOf<T>)
    throw MakeError(ErrorCode::kInvalidArgument, "tensor of dtype {} read as {}", NameOf(dtype_), NameOf(kDTypeOf<T>));
  return static_cast<const T*>(data_);
}

#define HEADRACE_INSTANTIATE(T)  \
  template T* Tensor::data<T>(); \
  template const T* Tensor::data<T>() const;
HEADRACE_INSTANTIATE(float)
HEADRACE_INSTANTIATE(uint16_t)
HEADRACE_INSTANTIATE(uint8_t)
HEADRACE_INSTANTIATE(int32_t)
HEADRACE_INSTANTIATE(int64_t)
#undef HEADRACE_INSTANTIATE

Tensor Tensor::Reshape(Shape shape) const {
  if (shape.size() != size_)
    throw MakeError(ErrorCode::kInvalidArgument, "cannot reshape {} to {}", shape_.ToString(), shape.ToString());
  Tensor tensor = *this;
  tensor.shape_ = std::move(shape);
  return tensor;
}

Tensor Tensor::Slice(int64_t begin, int64_t end) const {
  if (shape_.rank() == 0 || begin < 0 || end < begin || end > shape_[0])
    throw MakeError(ErrorCode::kInvalidArgument, "rows [{}, {}) are not in a tensor of shape {}", begin, end,
                    shape_.ToString());
  Tensor tensor = *this;
  const int64_t row = shape_[0] == 0 ? 0 : size_ / shape_[0];
  tensor.shape_[0] = end - begin;
  tensor.size_ = row * (end - begin);
  tensor.data_ = static_cast<char*>(data_) + static_cast<size_t>(begin * row) * SizeOf(dtype_);
  return tensor;
}

Tensor Tensor::Clone() const {
  if (!defined()) return {};
  Tensor tensor(dtype_, shape_);
  std::memcpy(tensor.data_, data_, bytes());
  return tensor;
}

Tensor Tensor::Cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor tensor(dtype, shape_);
  VisitDType(dtype_, [&](auto from) {
    VisitDType(dtype, [&](auto to) {
      const auto* in = static_cast<const decltype(from)*>(data_);
      auto* out = static_cast<decltype(to)*>(tensor.data_);
      for (int64_t i = 0; i < size_; ++i) out[i] = Convert<decltype(from), decltype(to)>(in[i]);
    });
  });
  return tensor;
}

}  // namespace headrace
