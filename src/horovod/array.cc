#include <cstdlib>
#include <new>

#include "headrace/horovod.h"

#include "base/result.h"

namespace headrace::hvd {
namespace {

constexpr size_t kAlignment = 64;

int64_t CountOf(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape)
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count))
      throw MakeError(ErrorCode::kInvalidArgument,
                      "array: found dimension {}, wanted 0 or more, and a product below 2^63", dim);
  return count;
}

}  // namespace

Array::Array(DataType dtype, std::vector<int64_t> shape) : dtype_(dtype), shape_(std::move(shape)) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(CountOf(shape_)), SizeOf(dtype), &bytes) || bytes > SIZE_MAX / 2)
    throw std::bad_alloc();
  const size_t rounded = (bytes + kAlignment) / kAlignment * kAlignment;  // never none
  data_ = std::aligned_alloc(kAlignment, rounded);
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_, 0, rounded);
  owner_ = std::shared_ptr<void>(data_, std::free);
}

Array::Array(const Tensor& tensor) : dtype_(DataTypeOf(tensor.dtype())), shape_(tensor.shape().dims()) {
  if (!tensor.defined()) throw MakeError(ErrorCode::kInvalidArgument, "Array: found a tensor without storage");
  const auto kept = std::make_shared<Tensor>(tensor);
  data_ = kept->raw();
  owner_ = kept;
}

int64_t Array::size() const { return CountOf(shape_); }

Array Array::clone() const {
  Array copy(dtype_, shape_);
  if (bytes() > 0) std::memcpy(copy.data_, data_, bytes());
  return copy;
}

Tensor Array::tensor() const {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16, DType::kUInt8, DType::kInt32, DType::kInt64})
    if (DataTypeOf(dtype) == dtype_) return Tensor::View(dtype, Shape(shape_), data_, owner_);
  throw MakeError(ErrorCode::kInvalidArgument,
                  "Array::tensor(): found {}, wanted float32, bfloat16, uint8, int32 or int64", NameOf(dtype_));
}

}  // namespace headrace::hvd
