// window(): runs of elements, each a data set of its own.
#include <algorithm>
#include <deque>

#include "base/result.h"
#include "data/dataset/flat.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

// Cuts one window after the other out of a stage.
class WindowCutter {
 public:
  WindowCutter(std::unique_ptr<Stage> upstream, int64_t size, WindowOptions options)
      : upstream_(std::move(upstream)), options_(options), span_((size - 1) * options.stride + 1) {}

  std::optional<std::vector<Element>> Next() {
    Fill();
    const auto have = static_cast<int64_t>(buffer_.size());
    if (have == 0 || (have < span_ && options_.drop_remainder)) return std::nullopt;
    std::vector<Element> window;
    for (int64_t at = 0; at < std::min(have, span_); at += options_.stride)
      window.push_back(buffer_[static_cast<size_t>(at)]);
    Advance();
    return window;
  }

 private:
  void Fill() {
    while (static_cast<int64_t>(buffer_.size()) < span_ && !ended_) {
      Element element;
      ended_ = upstream_->Pull(std::span(&element, 1)) == 0;
      if (!ended_) buffer_.push_back(std::move(element));
    }
  }

  void Advance() {
    const int64_t kept = std::min<int64_t>(options_.shift, static_cast<int64_t>(buffer_.size()));
    buffer_.erase(buffer_.begin(), buffer_.begin() + kept);
    if (kept < options_.shift) upstream_->Skip(options_.shift - kept);
  }

  std::unique_ptr<Stage> upstream_;
  WindowOptions options_;
  int64_t span_;  // elements from a window's first to its last
  std::deque<Element> buffer_;
  bool ended_ = false;
};

struct WindowsNode : DerivedNode {
  int64_t size;
  WindowOptions options;
  WindowFn fn;
  WindowsNode(NodePtr below, int64_t elements, WindowOptions window, WindowFn make)
      : DerivedNode(std::move(below)), size(elements), options(window), fn(std::move(make)) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = true;
    auto cutter = std::make_shared<WindowCutter>(upstream->Start(below), size, options);
    auto next = [this, cutter]() -> std::optional<Dataset> {
      auto window = cutter->Next();
      if (!window) return std::nullopt;
      return fn(Dataset::FromElements(std::move(*window)));
    };
    return std::make_unique<FlatStage>(std::move(next), context);
  }
  int64_t cardinality() const override { return upstream->cardinality() == 0 ? 0 : kUnknown; }
  bool replayable() const override { return false; }  // what fn returns is not known here
};

}  // namespace

NodePtr MakeWindows(NodePtr upstream, int64_t size, WindowOptions options, WindowFn fn) {
  return std::make_shared<WindowsNode>(std::move(upstream), size, options, std::move(fn));
}

}  // namespace headrace::data
