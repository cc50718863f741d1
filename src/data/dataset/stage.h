// What a Dataset is made of. A Node describes one step and never changes; Start() makes the Stage that runs it for one
// Iterator, with those below it. Elements are pulled through the stages in blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>

#include "headrace/data.h"

namespace headrace::data {

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  // Moves at least one and at most out.size() > 0 elements into `out` and returns how many; 0 at the end. An error is
  // thrown instead of returning 0, never together with elements: those before it come first. Not called again after
  // an error.
  virtual size_t Pull(std::span<Element> out) = 0;
  // Passes over up to `count` elements, returns how many there were. This one pulls and drops them.
  virtual int64_t Skip(int64_t count);
  // Pulls one element without starting to read ahead, so that a Skip() that follows is still cheap. False at the end.
  virtual bool PullSingle(Element& out) { return Pull(std::span(&out, 1)) == 1; }
};

// For stages that make one element at a time.
class ElementStage : public Stage {
 public:
  size_t Pull(std::span<Element> out) final;

 protected:
  virtual bool PullOne(Element& out) = 0;  // false at the end
  // Whether the next element is at hand. If not, those before it are handed on first: a slow writer of a FIFO must not
  // hold back what it has written.
  virtual bool ready() const { return true; }

 private:
  std::exception_ptr error_;  // thrown at the next call
};

struct Context {
  uint64_t epoch = 0;   // tells this run from others; random stages mix it into their seeds
  bool retain = false;  // elements will be kept for long: sources copy them out of shared read buffers
  std::shared_ptr<const std::atomic<bool>> stop;  // true: the iterator is being destroyed
};

struct Dataset::Node {
  virtual ~Node() = default;
  virtual std::unique_ptr<Stage> Start(const Context& context) const = 0;
  // For a stage above that takes blocks on several threads and so reads ahead by itself.
  virtual std::unique_ptr<Stage> StartBelowWorkers(const Context& context) const { return Start(context); }
  virtual int64_t cardinality() const = 0;
  // The stages from the source to here: tells random stages of one chain apart.
  virtual uint64_t depth() const { return 1; }
  // Every run has the same number of elements, and running it has no effect of its own.
  virtual bool replayable() const { return true; }
};

using NodePtr = std::shared_ptr<const Dataset::Node>;
Dataset DatasetOf(NodePtr node);

// A node on top of another one.
struct DerivedNode : Dataset::Node {
  explicit DerivedNode(NodePtr below) : upstream(std::move(below)) {}
  uint64_t depth() const override { return upstream->depth() + 1; }
  bool replayable() const override { return upstream->replayable(); }
  int64_t cardinality() const override { return upstream->cardinality(); }
  NodePtr upstream;
};

// The seed of a random stage in one run.
inline uint64_t MixSeed(uint64_t seed, uint64_t depth, uint64_t epoch) {
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15u;
  return Random::Mix(Random::Mix(seed + kStep * depth) + kStep * epoch);
}

}  // namespace headrace::data
