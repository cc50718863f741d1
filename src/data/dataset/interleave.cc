#include "data/dataset/flat.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class InterleaveStage : public ElementStage {
 public:
  InterleaveStage(std::unique_ptr<Stage> upstream, NestFn fn, InterleaveOptions options, const Context& context)
      : upstream_(std::move(upstream)),
        fn_(std::move(fn)),
        options_(options),
        opener_(context),
        open_(static_cast<size_t>(options.cycle_length)) {}

 protected:
  bool PullOne(Element& out) override {
    // A whole round without an open dataset is the end.
    for (int64_t idle = 0; idle <= options_.cycle_length;) {
      std::optional<OpenDataset>& place = open_[turn_];
      if (!place && !inputs_ended_) OpenNext(place);
      if (!place) {
        ++idle;
        NextTurn();
        continue;
      }
      idle = 0;
      if (place->stage->Pull(std::span(&out, 1)) == 1) {
        if (++in_block_ == options_.block_length) NextTurn();
        return true;
      }
      // It ended; the next input takes its place when its turn comes again.
      place.reset();
      NextTurn();
    }
    return false;
  }

 private:
  void NextTurn() {
    turn_ = (turn_ + 1) % open_.size();
    in_block_ = 0;
  }

  void OpenNext(std::optional<OpenDataset>& place) {
    Element input;
    if (upstream_->Pull(std::span(&input, 1)) == 0) {
      inputs_ended_ = true;
      return;
    }
    place = opener_.Open(fn_(std::move(input)));
  }

  std::unique_ptr<Stage> upstream_;
  NestFn fn_;
  InterleaveOptions options_;
  Opener opener_;
  std::vector<std::optional<OpenDataset>> open_;
  size_t turn_ = 0;
  int64_t in_block_ = 0;  // elements taken in this turn
  bool inputs_ended_ = false;
};

struct InterleaveNode : DerivedNode {
  NestFn fn;
  InterleaveOptions options;

  InterleaveNode(NodePtr below, NestFn make, InterleaveOptions interleave)
      : DerivedNode(std::move(below)), fn(std::move(make)), options(interleave) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<InterleaveStage>(upstream->Start(context), fn, options, context);
  }
  int64_t cardinality() const override { return upstream->cardinality() == 0 ? 0 : kUnknown; }
  bool replayable() const override { return false; }  // what fn returns is not known here
};

}  // namespace

NodePtr MakeInterleave(NodePtr upstream, NestFn fn, InterleaveOptions options) {
  return std::make_shared<InterleaveNode>(std::move(upstream), std::move(fn), options);
}

}  // namespace headrace::data
