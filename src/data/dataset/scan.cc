#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class ScanStage : public ElementStage {
 public:
  ScanStage(std::unique_ptr<Stage> upstream, Element state, const ScanFn& fn)
      : upstream_(std::move(upstream)), state_(std::move(state)), fn_(fn) {}

 protected:
  bool PullOne(Element& out) override {
    Element element;
    if (upstream_->Pull(std::span(&element, 1)) == 0) return false;
    std::tie(state_, out) = fn_(std::move(state_), std::move(element));
    return true;
  }

 private:
  std::unique_ptr<Stage> upstream_;
  Element state_;
  const ScanFn& fn_;
};

struct ScanNode : DerivedNode {
  Element initial;
  ScanFn fn;
  ScanNode(NodePtr below, Element state, ScanFn step)
      : DerivedNode(std::move(below)), initial(std::move(state)), fn(std::move(step)) {}
  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = true;  // a state may be made of elements
    return std::make_unique<ScanStage>(upstream->Start(below), initial, fn);
  }
};

}  // namespace

NodePtr MakeScan(NodePtr upstream, Element initial_state, ScanFn fn) {
  return std::make_shared<ScanNode>(std::move(upstream), std::move(initial_state), std::move(fn));
}

}  // namespace headrace::data
