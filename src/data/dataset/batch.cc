#include <algorithm>
#include <cstring>

#include "base/result.h"
#include "data/buffer_pool.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

// One component of the batch being filled.
class Column {
 public:
  explicit Column(int64_t rows) : rows_(rows) {}

  void Start(const Tensor& first) {
    row_shape_ = first.shape();
    dtype_ = first.dtype();
    row_bytes_ = first.bytes();
    std::vector<int64_t> dims{rows_};
    dims.insert(dims.end(), row_shape_.dims().begin(), row_shape_.dims().end());
    auto memory = pool_.Get(row_bytes_ * static_cast<size_t>(rows_));
    void* data = memory.get();
    batch_ = Tensor::View(dtype_, Shape(std::move(dims)), data, std::move(memory));
  }

  bool Fits(const Tensor& tensor) const { return tensor.dtype() == dtype_ && tensor.shape() == row_shape_; }
  std::string Describe() const { return fmt::format("{} {}", NameOf(dtype_), row_shape_.ToString()); }

  void Put(int64_t row, const Tensor& tensor) {
    if (row_bytes_ > 0)
      std::memcpy(static_cast<char*>(batch_.raw()) + static_cast<size_t>(row) * row_bytes_, tensor.raw(), row_bytes_);
  }

  Tensor Finish(int64_t rows) {
    Tensor batch = std::move(batch_);
    batch_ = Tensor();
    return rows == rows_ ? batch : batch.Slice(0, rows);
  }

 private:
  int64_t rows_;
  BufferPool pool_;
  DType dtype_ = DType::kFloat32;
  Shape row_shape_;
  size_t row_bytes_ = 0;
  Tensor batch_;
};

class BatchStage : public ElementStage {
 public:
  BatchStage(std::unique_ptr<Stage> upstream, int64_t size, bool drop_remainder)
      : upstream_(std::move(upstream)), size_(size), drop_remainder_(drop_remainder) {}

  int64_t Skip(int64_t count) override {
    if (count > INT64_MAX / size_) count = INT64_MAX / size_;
    const int64_t elements = upstream_->Skip(count * size_);
    return drop_remainder_ ? elements / size_ : (elements + size_ - 1) / size_;
  }

 protected:
  bool PullOne(Element& out) override {
    int64_t rows = 0;
    while (rows < size_) {
      // Small blocks: an element is still in the cache when its memory is given back.
      constexpr int64_t kBlock = 32;
      block_.resize(static_cast<size_t>(std::min(size_ - rows, kBlock)));
      const size_t n = upstream_->Pull(block_);
      if (n == 0) break;
      for (size_t i = 0; i < n; ++i) Put(rows++, block_[i]);
      block_.clear();
    }
    if (rows == 0 || (rows < size_ && drop_remainder_)) return false;
    out = Finish(rows);
    return true;
  }

 private:
  void Put(int64_t row, const Element& element) {
    if (row == 0) Start(element);
    if (element.size() != columns_.size())
      throw MakeError(ErrorCode::kInvalidArgument, "batch: found an element of {} components after one of {}",
                      element.size(), columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].Fits(element[i]))
        throw MakeError(ErrorCode::kInvalidArgument,
                        "batch: component {} of element {} of the batch: found {} {}, wanted {} like the first", i, row,
                        NameOf(element[i].dtype()), element[i].shape().ToString(), columns_[i].Describe());
      columns_[i].Put(row, element[i]);
    }
  }

  void Start(const Element& first) {
    while (columns_.size() < first.size()) columns_.emplace_back(size_);
    columns_.erase(columns_.begin() + static_cast<ptrdiff_t>(first.size()), columns_.end());
    for (size_t i = 0; i < columns_.size(); ++i) columns_[i].Start(first[i]);
    first_ = first.With(std::vector<Tensor>(first.size()));
  }

  Element Finish(int64_t rows) {
    std::vector<Tensor> components;
    components.reserve(columns_.size());
    for (Column& column : columns_) components.push_back(column.Finish(rows));
    return first_.With(std::move(components));
  }

  std::unique_ptr<Stage> upstream_;
  int64_t size_;
  bool drop_remainder_;
  std::vector<Element> block_;
  std::vector<Column> columns_;
  Element first_;  // of this batch: its names
};

struct BatchNode : DerivedNode {
  int64_t size;
  bool drop_remainder;

  BatchNode(NodePtr below, int64_t batch_size, bool drop)
      : DerivedNode(std::move(below)), size(batch_size), drop_remainder(drop) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = false;  // rows are copied at once
    return std::make_unique<BatchStage>(upstream->Start(below), size, drop_remainder);
  }
  int64_t cardinality() const override {
    const int64_t elements = upstream->cardinality();
    if (elements < 0) return elements;
    return elements / size + (!drop_remainder && elements % size != 0 ? 1 : 0);
  }
};

}  // namespace

NodePtr MakeBatch(NodePtr upstream, int64_t batch_size, BatchOptions options) {
  return std::make_shared<BatchNode>(std::move(upstream), batch_size, options.drop_remainder);
}

}  // namespace headrace::data
