#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class MapStage : public Stage {
 public:
  MapStage(std::unique_ptr<Stage> upstream, MapCall call) : upstream_(std::move(upstream)), call_(std::move(call)) {}

  size_t Pull(std::span<Element> out) override {
    if (error_) std::rethrow_exception(error_);
    const size_t n = upstream_->Pull(out);
    for (size_t i = 0; i < n; ++i, ++index_) {
      try {
        out[i] = call_(std::move(out[i]), index_);
      } catch (...) {
        if (i == 0) throw;
        error_ = std::current_exception();
        return i;
      }
    }
    return n;
  }

  bool PullSingle(Element& out) override {
    if (error_) std::rethrow_exception(error_);
    if (!upstream_->PullSingle(out)) return false;
    out = call_(std::move(out), index_++);
    return true;
  }

  int64_t Skip(int64_t count) override {
    if (error_) std::rethrow_exception(error_);
    const int64_t skipped = upstream_->Skip(count);
    index_ += static_cast<uint64_t>(skipped);
    return skipped;
  }

 private:
  std::unique_ptr<Stage> upstream_;
  MapCall call_;
  uint64_t index_ = 0;
  std::exception_ptr error_;  // thrown at the next call
};

struct MapNode : DerivedNode {
  MapFn plain;
  RandomMapFn random;
  MapOptions options;

  MapNode(NodePtr below, MapFn plain_fn, RandomMapFn random_fn, MapOptions map_options)
      : DerivedNode(std::move(below)), plain(std::move(plain_fn)), random(std::move(random_fn)), options(map_options) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = false;  // what the function returns is its own
    MapCall call{plain, random, MixSeed(options.seed, depth(), context.epoch)};
    if (options.num_parallel_calls > 1)
      return StartParallelMap(upstream->StartBelowWorkers(below), std::move(call), options.num_parallel_calls);
    return std::make_unique<MapStage>(upstream->Start(below), std::move(call));
  }
};

}  // namespace

NodePtr MakeMap(NodePtr upstream, MapFn plain, RandomMapFn random, MapOptions options) {
  return std::make_shared<MapNode>(std::move(upstream), std::move(plain), std::move(random), options);
}

}  // namespace headrace::data
