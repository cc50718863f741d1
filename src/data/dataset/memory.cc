// Sources in memory: rows of tensors, strings, generators.
#include <algorithm>
#include <limits>

#include "base/result.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

// Elements 0 to size-1 of something that can be looked into at any place.
class IndexedStage : public ElementStage {
 public:
  IndexedStage(int64_t size, std::function<Element(int64_t)> at) : size_(size), at_(std::move(at)) {}

  int64_t Skip(int64_t count) override {
    const int64_t skipped = std::min(count, size_ - next_);
    next_ += skipped;
    return skipped;
  }

 protected:
  bool PullOne(Element& out) override {
    if (next_ == size_) return false;
    out = at_(next_++);
    return true;
  }

 private:
  int64_t size_, next_ = 0;
  std::function<Element(int64_t)> at_;
};

struct SlicesNode : Dataset::Node {
  Element whole;
  std::vector<Shape> rows;  // the components' shapes without their first axis

  std::unique_ptr<Stage> Start(const Context&) const override {
    return std::make_unique<IndexedStage>(cardinality(), [this](int64_t index) {
      std::vector<Tensor> row;
      row.reserve(whole.size());
      for (size_t i = 0; i < whole.size(); ++i) row.push_back(whole[i].Slice(index, index + 1).Reshape(rows[i]));
      return whole.With(std::move(row));
    });
  }
  int64_t cardinality() const override { return whole.x().dim(0); }
};

struct StringsNode : Dataset::Node {
  std::vector<std::string> strings;

  std::unique_ptr<Stage> Start(const Context&) const override {
    return std::make_unique<IndexedStage>(
        cardinality(), [this](int64_t index) { return Element(FromBytes(strings[static_cast<size_t>(index)])); });
  }
  int64_t cardinality() const override { return static_cast<int64_t>(strings.size()); }
};

struct ElementsNode : Dataset::Node {
  std::shared_ptr<const std::vector<Element>> elements;

  std::unique_ptr<Stage> Start(const Context&) const override { return StartElements(elements); }
  int64_t cardinality() const override { return static_cast<int64_t>(elements->size()); }
};

struct RangeNode : Dataset::Node {
  int64_t start, step, count;

  RangeNode(int64_t first, int64_t gap, int64_t numbers) : start(first), step(gap), count(numbers) {}
  std::unique_ptr<Stage> Start(const Context&) const override {
    const int64_t size = count == kInfinite ? std::numeric_limits<int64_t>::max() : count;
    return std::make_unique<IndexedStage>(size, [this](int64_t index) {
      const auto offset = static_cast<uint64_t>(index) * static_cast<uint64_t>(step);  // wraps around where int64 ends
      return Element(Tensor::Scalar(static_cast<int64_t>(static_cast<uint64_t>(start) + offset)));
    });
  }
  int64_t cardinality() const override { return count; }
};

class GeneratorStage : public ElementStage {
 public:
  explicit GeneratorStage(Generator generator) : generator_(std::move(generator)) {}

 protected:
  bool PullOne(Element& out) override {
    if (!generator_) return false;
    auto element = generator_();
    if (!element) {
      generator_ = nullptr;
      return false;
    }
    out = std::move(*element);
    return true;
  }
  bool ready() const override { return false; }

 private:
  Generator generator_;  // null after the end
};

struct GeneratorNode : Dataset::Node {
  std::function<Generator()> make;

  std::unique_ptr<Stage> Start(const Context&) const override { return std::make_unique<GeneratorStage>(make()); }
  int64_t cardinality() const override { return kUnknown; }
  bool replayable() const override { return false; }
};

}  // namespace

NodePtr MakeSlices(Element element) {
  auto node = std::make_shared<SlicesNode>();
  if (element.size() == 0)
    throw MakeError(ErrorCode::kInvalidArgument, "FromTensorSlices: found no tensor, wanted one");
  for (const Tensor& tensor : element.components()) {
    const auto& dims = tensor.shape().dims();
    if (!tensor.defined() || dims.empty())
      throw MakeError(ErrorCode::kInvalidArgument, "FromTensorSlices: found a tensor of shape {}, wanted one with rows",
                      tensor.shape().ToString());
    if (dims[0] != element.x().dim(0))
      throw MakeError(ErrorCode::kInvalidArgument, "FromTensorSlices: found {} and {} rows, wanted equal numbers",
                      element.x().dim(0), dims[0]);
    node->rows.emplace_back(std::vector<int64_t>(dims.begin() + 1, dims.end()));
  }
  node->whole = std::move(element);
  return node;
}

std::unique_ptr<Stage> StartElements(std::shared_ptr<const std::vector<Element>> elements) {
  const auto size = static_cast<int64_t>(elements->size());
  return std::make_unique<IndexedStage>(
      size, [elements = std::move(elements)](int64_t index) { return (*elements)[static_cast<size_t>(index)]; });
}

NodePtr MakeElements(std::vector<Element> elements) {
  auto node = std::make_shared<ElementsNode>();
  node->elements = std::make_shared<const std::vector<Element>>(std::move(elements));
  return node;
}

NodePtr MakeRange(int64_t start, int64_t step, int64_t count) {
  return std::make_shared<RangeNode>(start, step, count);
}

NodePtr MakeStrings(std::vector<std::string> strings) {
  auto node = std::make_shared<StringsNode>();
  node->strings = std::move(strings);
  return node;
}

NodePtr MakeGenerator(std::function<Generator()> make) {
  auto node = std::make_shared<GeneratorNode>();
  node->make = std::move(make);
  return node;
}

}  // namespace headrace::data
