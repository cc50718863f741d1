// A tensor that grows row by row.
#pragma once

#include <algorithm>
#include <cstring>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

class RowBuffer {
 public:
  RowBuffer(DType dtype, Shape shape)
      : dtype_(dtype), shape_(std::move(shape)), row_bytes_(static_cast<size_t>(RowElements(shape_)) * SizeOf(dtype)) {}

  int64_t rows() const { return rows_; }
  size_t row_bytes() const { return row_bytes_; }

  // One more row, not initialised. Null when the tensor would have more than kMaxElements.
  char* AddRow() {
    if (rows_ == capacity_) {
      const int64_t row = std::max<int64_t>(RowElements(shape_), 1);
      const int64_t wanted = std::max(capacity_ * 2, std::max<int64_t>(1, 256 / row));
      if (wanted > kMaxElements / row) return nullptr;
      Tensor larger(dtype_, WithRows(shape_, wanted));
      if (rows_ > 0) std::memcpy(larger.raw(), tensor_.raw(), static_cast<size_t>(rows_) * row_bytes_);
      tensor_ = std::move(larger);
      capacity_ = wanted;
    }
    return Row(rows_++);
  }
  char* Row(int64_t row) { return static_cast<char*>(tensor_.raw()) + static_cast<size_t>(row) * row_bytes_; }
  const char* Row(int64_t row) const { return const_cast<RowBuffer*>(this)->Row(row); }

  Tensor Finish() { return tensor_.Slice(0, rows_); }

 private:
  DType dtype_;
  Shape shape_;
  size_t row_bytes_;
  int64_t rows_ = 0, capacity_ = 0;
  Tensor tensor_;
};

}  // namespace headrace::serving
