// Tensor: a dense array on the host, the currency between data.h, keras.h and user code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace headrace {

enum class DType : uint8_t { kFloat32, kBFloat16, kUInt8, kInt32, kInt64 };

size_t SizeOf(DType dtype);       // bytes of one element
const char* NameOf(DType dtype);  // "float32", "bfloat16", "uint8", "int32", "int64"

// Dimensions, outermost first. In symbolic shapes (layers) -1 is the unknown batch dimension, -n is n times as many.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {}

  size_t rank() const { return dims_.size(); }
  int64_t operator[](size_t axis) const { return dims_[axis]; }
  int64_t& operator[](size_t axis) { return dims_[axis]; }
  // Product of the dimensions, 1 for a scalar. All dimensions must be known.
  int64_t size() const;
  const std::vector<int64_t>& dims() const { return dims_; }
  std::string ToString() const;  // "(None, 32, 32, 3)"; None stands for -1 and -n
  bool operator==(const Shape&) const = default;

 private:
  std::vector<int64_t> dims_;
};

// A contiguous, row-major array. Copying a Tensor copies the handle: both see the same bytes, which live as
// long as the last handle. Images are [n, h, w, c]. Storage is 64-byte aligned.
// Reading from several threads is safe; writing needs the caller's own synchronisation.
class Tensor {
 public:
  Tensor() = default;                // empty: no storage, defined() is false
  Tensor(DType dtype, Shape shape);  // uninitialised
  static Tensor Zeros(DType dtype, Shape shape);
  static Tensor FromVector(const std::vector<float>& values, Shape shape);  // throws if the sizes differ
  static Tensor FromVector(const std::vector<int64_t>& values, Shape shape);
  static Tensor Scalar(float value);
  static Tensor Scalar(int64_t value);
  // A view of bytes that `owner` keeps alive.
  static Tensor View(DType dtype, Shape shape, void* data, std::shared_ptr<void> owner);

  bool defined() const { return data_ != nullptr; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t dim(size_t axis) const { return shape_[axis]; }
  int64_t size() const { return size_; }  // elements
  size_t bytes() const { return static_cast<size_t>(size_) * SizeOf(dtype_); }

  void* raw() { return data_; }
  const void* raw() const { return data_; }
  // Typed access; throws kInvalidArgument when T is not the dtype (T: float, uint8_t, int32_t, int64_t, or
  // uint16_t for the bits of bfloat16).
  template <typename T>
  T* data();
  template <typename T>
  const T* data() const;

  Tensor Reshape(Shape shape) const;               // same bytes; the number of elements must agree
  Tensor Slice(int64_t begin, int64_t end) const;  // view of rows [begin, end) of the first axis
  Tensor Clone() const;                            // a deep copy
  Tensor Cast(DType dtype) const;                  // a converted copy (itself when the dtype is the same)

 private:
  DType dtype_ = DType::kFloat32;
  Shape shape_;
  int64_t size_ = 0;
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

}  // namespace headrace
