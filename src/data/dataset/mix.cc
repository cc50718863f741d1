// ChooseFromDatasets() and SampleFromDatasets(): elements of several data sets, in an order of their own.
#include <algorithm>

#include "base/result.h"
#include "data/dataset/nodes.h"
#include "data/dataset/several.h"

namespace headrace::data {
namespace {

// Says which input the next element comes from; -1 at the end. `left` are those that have not ended.
using NextInput = std::function<int64_t(const std::vector<bool>& left)>;

class MixStage : public ElementStage {
 public:
  MixStage(std::vector<std::unique_ptr<Stage>> inputs, NextInput next, bool stop_on_empty)
      : inputs_(std::move(inputs)), next_(std::move(next)), left_(inputs_.size(), true), stop_(stop_on_empty) {}

 protected:
  bool PullOne(Element& out) override {
    while (std::find(left_.begin(), left_.end(), true) != left_.end()) {
      const int64_t chosen = next_(left_);
      if (chosen < 0) return false;
      const auto input = static_cast<size_t>(chosen);
      if (left_[input] && inputs_[input]->Pull(std::span(&out, 1)) == 1) return true;
      left_[input] = false;
      if (stop_) std::fill(left_.begin(), left_.end(), false);
    }
    return false;
  }

 private:
  std::vector<std::unique_ptr<Stage>> inputs_;
  NextInput next_;
  std::vector<bool> left_;
  bool stop_;
};

// The choices are the last input of the node.
struct ChooseNode : SeveralNode {
  bool stop;
  ChooseNode(std::vector<NodePtr> below, bool stop_on_empty) : SeveralNode(std::move(below)), stop(stop_on_empty) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    auto stages = StartAll(context);
    const std::shared_ptr<Stage> choices = std::move(stages.back());
    stages.pop_back();
    auto next = [choices, count = static_cast<int64_t>(stages.size())](const std::vector<bool>&) -> int64_t {
      Element choice;
      if (choices->Pull(std::span(&choice, 1)) == 0) return -1;
      const Tensor& number = choice.x();
      if (number.dtype() != DType::kInt64 || number.size() != 1)
        throw MakeError(ErrorCode::kInvalidArgument, "ChooseFromDatasets: choice: found {} {}, wanted an int64 scalar",
                        NameOf(number.dtype()), number.shape().ToString());
      const int64_t index = *number.data<int64_t>();
      if (index < 0 || index >= count)
        throw MakeError(ErrorCode::kInvalidArgument, "ChooseFromDatasets: choice: found {}, wanted 0 to {}", index,
                        count - 1);
      return index;
    };
    return std::make_unique<MixStage>(std::move(stages), std::move(next), stop);
  }
  int64_t cardinality() const override { return kUnknown; }
  // The choices of another run may be others, and which input ends first depends on them.
  bool replayable() const override { return false; }
};

struct SampleNode : SeveralNode {
  std::vector<double> weights;
  SampleOptions options;
  SampleNode(std::vector<NodePtr> below, std::vector<double> shares, SampleOptions sample)
      : SeveralNode(std::move(below)), weights(std::move(shares)), options(sample) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    const uint64_t epoch = options.rerandomize_each_iteration ? context.epoch : 0;
    auto next = [this, random = Random(MixSeed(options.seed, depth(), epoch))](const std::vector<bool>& left) mutable {
      return Draw(random, left);
    };
    return std::make_unique<MixStage>(StartAll(context), std::move(next), options.stop_on_empty_dataset);
  }
  int64_t cardinality() const override { return kUnknown; }
  // With other random numbers, another input is the first to end, and the run another number of elements long.
  bool replayable() const override {
    return SeveralNode::replayable() && !(options.stop_on_empty_dataset && options.rerandomize_each_iteration);
  }

 private:
  // An input that is left, each by its share of what is left.
  int64_t Draw(Random& random, const std::vector<bool>& left) const {
    double sum = 0;
    for (size_t i = 0; i < weights.size(); ++i) sum += left[i] ? weights[i] : 0;
    double at = static_cast<double>(random.Uniform()) * sum;
    int64_t last = -1;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (!left[i] || weights[i] == 0) continue;
      last = static_cast<int64_t>(i);
      if ((at -= weights[i]) < 0) break;
    }
    return last;
  }
};

}  // namespace

NodePtr MakeChoose(std::vector<NodePtr> inputs, NodePtr choices, bool stop_on_empty) {
  inputs.push_back(std::move(choices));
  return std::make_shared<ChooseNode>(std::move(inputs), stop_on_empty);
}

NodePtr MakeSample(std::vector<NodePtr> inputs, std::vector<double> weights, SampleOptions options) {
  return std::make_shared<SampleNode>(std::move(inputs), std::move(weights), options);
}

}  // namespace headrace::data
