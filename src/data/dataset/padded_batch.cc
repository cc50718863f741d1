// padded_batch(): batches of elements whose shapes differ.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/result.h"
#include "data/dataset/nodes.h"
#include "tensor/bfloat16.h"

namespace headrace::data {
namespace {

// The bytes of one padded value.
struct Padding {
  std::array<char, 8> bytes{};

  Padding(DType dtype, double value, size_t component) {
    if (dtype == DType::kFloat32) Set(static_cast<float>(value));
    if (dtype == DType::kBFloat16) Set(BFloat16FromFloat(static_cast<float>(value)));
    if (dtype == DType::kUInt8) SetWhole<uint8_t>(dtype, value, component);
    if (dtype == DType::kInt32) SetWhole<int32_t>(dtype, value, component);
    if (dtype == DType::kInt64) SetWhole<int64_t>(dtype, value, component);
  }

 private:
  template <typename T>
  void Set(T value) {
    std::memcpy(bytes.data(), &value, sizeof value);
  }
  template <typename T>
  void SetWhole(DType dtype, double value, size_t component) {
    if (std::floor(value) != value || value < static_cast<double>(std::numeric_limits<T>::min()) ||
        value >= static_cast<double>(std::numeric_limits<T>::max()) + 1)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "padded_batch: padding_values: component {} is {}: found {}, wanted a value of that type",
                      component, NameOf(dtype), value);
    Set(static_cast<T>(value));
  }
};

// Copies `from` into the corner of `to`, whose shape `dims` is nowhere smaller; both are row-major.
void CopyIntoCorner(const char* from, const std::vector<int64_t>& small, char* to, const std::vector<int64_t>& dims,
                    size_t axis, size_t item) {
  if (axis == small.size()) return void(std::memcpy(to, from, item));
  size_t small_step = item, step = item;
  for (size_t i = axis + 1; i < small.size(); ++i) {
    small_step *= static_cast<size_t>(small[i]);
    step *= static_cast<size_t>(dims[i]);
  }
  if (small_step == step) {
    if (small[axis] > 0) std::memcpy(to, from, step * static_cast<size_t>(small[axis]));
    return;
  }
  for (int64_t i = 0; i < small[axis]; ++i, from += small_step, to += step)
    CopyIntoCorner(from, small, to, dims, axis + 1, item);
}

class PaddedBatchStage : public ElementStage {
 public:
  PaddedBatchStage(std::unique_ptr<Stage> upstream, int64_t size, const PaddedBatchOptions& options)
      : upstream_(std::move(upstream)), size_(size), options_(options) {}

  int64_t Skip(int64_t count) override {
    if (count > INT64_MAX / size_) count = INT64_MAX / size_;
    const int64_t elements = upstream_->Skip(count * size_);
    return options_.drop_remainder ? elements / size_ : (elements + size_ - 1) / size_;
  }

 protected:
  bool PullOne(Element& out) override {
    std::vector<Element> rows;
    Element element;
    while (static_cast<int64_t>(rows.size()) < size_ && upstream_->Pull(std::span(&element, 1)) == 1)
      rows.push_back(std::move(element));
    if (rows.empty() || (static_cast<int64_t>(rows.size()) < size_ && options_.drop_remainder)) return false;
    Check(rows);
    std::vector<Tensor> components;
    for (size_t i = 0; i < rows[0].size(); ++i) components.push_back(Stack(rows, i));
    out = rows[0].With(std::move(components));
    return true;
  }

 private:
  void Check(const std::vector<Element>& rows) const {
    const Element& first = rows[0];
    CheckCount("padded_shapes", options_.padded_shapes.size(), first.size());
    if (options_.padding_values.size() != 1) CheckCount("padding_values", options_.padding_values.size(), first.size());
    for (const Element& row : rows) {
      if (row.size() != first.size())
        throw MakeError(ErrorCode::kInvalidArgument, "padded_batch: found an element of {} components after one of {}",
                        row.size(), first.size());
      for (size_t i = 0; i < row.size(); ++i)
        if (row[i].dtype() != first[i].dtype() || row[i].shape().rank() != first[i].shape().rank())
          throw MakeError(ErrorCode::kInvalidArgument,
                          "padded_batch: component {}: found {} {} after {} {}, wanted one type and one number of axes",
                          i, NameOf(row[i].dtype()), row[i].shape().ToString(), NameOf(first[i].dtype()),
                          first[i].shape().ToString());
    }
  }

  static void CheckCount(const char* what, size_t found, size_t components) {
    if (found != 0 && found != components)
      throw MakeError(ErrorCode::kInvalidArgument, "padded_batch: {}: found {}, wanted one for each of {} components",
                      what, found, components);
  }

  // The shape that all rows of a component get.
  std::vector<int64_t> PaddedDims(const std::vector<Element>& rows, size_t i) const {
    const size_t rank = rows[0][i].shape().rank();
    std::vector<int64_t> dims(rank, -1);
    if (!options_.padded_shapes.empty()) dims = options_.padded_shapes[i].dims();
    if (dims.size() != rank)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "padded_batch: padded_shapes: component {}: found {}, wanted as many axes as {}", i,
                      options_.padded_shapes[i].ToString(), rows[0][i].shape().ToString());
    for (size_t axis = 0; axis < rank; ++axis) {
      int64_t longest = 0;
      for (const Element& row : rows) longest = std::max(longest, row[i].dim(axis));
      if (dims[axis] < 0) dims[axis] = longest;
      if (longest > dims[axis])
        throw MakeError(ErrorCode::kInvalidArgument,
                        "padded_batch: component {}: found an element of {} along axis {}, wanted at most {}", i,
                        longest, axis, dims[axis]);
    }
    return dims;
  }

  Tensor Stack(const std::vector<Element>& rows, size_t i) const {
    const std::vector<int64_t> dims = PaddedDims(rows, i);
    std::vector<int64_t> batch_dims{static_cast<int64_t>(rows.size())};
    batch_dims.insert(batch_dims.end(), dims.begin(), dims.end());
    Tensor batch(rows[0][i].dtype(), Shape(std::move(batch_dims)));
    const size_t item = SizeOf(batch.dtype()), row_bytes = batch.bytes() / rows.size();
    auto* to = static_cast<char*>(batch.raw());
    Fill(to, batch.bytes(), item, PaddingOf(batch.dtype(), i));
    for (const Element& row : rows) {
      CopyIntoCorner(static_cast<const char*>(row[i].raw()), row[i].shape().dims(), to, dims, 0, item);
      to += row_bytes;
    }
    return batch;
  }

  Padding PaddingOf(DType dtype, size_t i) const {
    const auto& values = options_.padding_values;
    return {dtype, values.empty() ? 0.0 : values[values.size() == 1 ? 0 : i], i};
  }

  static void Fill(char* to, size_t bytes, size_t item, const Padding& padding) {
    if (padding.bytes == std::array<char, 8>{}) return void(std::memset(to, 0, bytes));
    for (size_t at = 0; at < bytes; at += item) std::memcpy(to + at, padding.bytes.data(), item);
  }

  std::unique_ptr<Stage> upstream_;
  int64_t size_;
  const PaddedBatchOptions& options_;
};

struct PaddedBatchNode : DerivedNode {
  int64_t size;
  PaddedBatchOptions options;
  PaddedBatchNode(NodePtr below, int64_t batch_size, PaddedBatchOptions padding)
      : DerivedNode(std::move(below)), size(batch_size), options(std::move(padding)) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = false;  // rows are kept only until their batch is full, which has copies of them
    return std::make_unique<PaddedBatchStage>(upstream->Start(below), size, options);
  }
  int64_t cardinality() const override {
    const int64_t elements = upstream->cardinality();
    if (elements < 0) return elements;
    return elements / size + (!options.drop_remainder && elements % size != 0 ? 1 : 0);
  }
};

}  // namespace

NodePtr MakePaddedBatch(NodePtr upstream, int64_t batch_size, PaddedBatchOptions options) {
  return std::make_shared<PaddedBatchNode>(std::move(upstream), batch_size, std::move(options));
}

}  // namespace headrace::data
