// assert_cardinality(): what is said of the number of elements, and whether it is true.
#include <algorithm>

#include "base/result.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class CardinalityStage : public Stage {
 public:
  CardinalityStage(std::unique_ptr<Stage> upstream, int64_t expected)
      : upstream_(std::move(upstream)), expected_(expected) {}

  size_t Pull(std::span<Element> out) override {
    if (count_ == expected_) return End();
    return static_cast<size_t>(Count(static_cast<int64_t>(upstream_->Pull(out.first(Most(out.size()))))));
  }
  bool PullSingle(Element& out) override {
    if (count_ == expected_) return End() == 1;
    return Count(upstream_->PullSingle(out) ? 1 : 0) == 1;
  }
  int64_t Skip(int64_t count) override {
    const int64_t most = expected_ == kInfinite ? count : std::min(count, expected_ - count_);
    return most == 0 ? 0 : Count(upstream_->Skip(most));
  }

 private:
  size_t Most(size_t wanted) const {
    return expected_ == kInfinite ? wanted : std::min(wanted, static_cast<size_t>(expected_ - count_));
  }

  int64_t Count(int64_t more) {
    count_ += more;
    if (more == 0)
      throw MakeError(ErrorCode::kFailedPrecondition, "assert_cardinality: found {} elements, wanted {}", count_,
                      expected_ == kInfinite ? "no end" : std::to_string(expected_));
    return more;
  }

  size_t End() {
    Element extra;
    if (upstream_->Pull(std::span(&extra, 1)) == 1)
      throw MakeError(ErrorCode::kFailedPrecondition, "assert_cardinality: found more elements, wanted {}", expected_);
    return 0;
  }

  std::unique_ptr<Stage> upstream_;
  int64_t expected_, count_ = 0;
};

struct CardinalityNode : DerivedNode {
  int64_t expected;
  CardinalityNode(NodePtr below, int64_t count) : DerivedNode(std::move(below)), expected(count) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<CardinalityStage>(upstream->Start(context), expected);
  }
  int64_t cardinality() const override { return expected; }
};

}  // namespace

NodePtr MakeCardinality(NodePtr upstream, int64_t count) {
  return std::make_shared<CardinalityNode>(std::move(upstream), count);
}

}  // namespace headrace::data
