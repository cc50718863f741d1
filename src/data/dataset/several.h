// A node on top of several others.
#pragma once

#include <algorithm>
#include <vector>

#include "data/dataset/stage.h"

namespace headrace::data {

struct SeveralNode : Dataset::Node {
  explicit SeveralNode(std::vector<NodePtr> below) : inputs(std::move(below)) {}
  uint64_t depth() const override {
    uint64_t deepest = 0;
    for (const NodePtr& input : inputs) deepest = std::max(deepest, input->depth());
    return deepest + 1;
  }
  bool replayable() const override {
    return std::all_of(inputs.begin(), inputs.end(), [](const NodePtr& input) { return input->replayable(); });
  }

  std::vector<std::unique_ptr<Stage>> StartAll(const Context& context) const {
    std::vector<std::unique_ptr<Stage>> stages;
    for (const NodePtr& input : inputs) stages.push_back(input->Start(context));
    return stages;
  }

  std::vector<NodePtr> inputs;
};

}  // namespace headrace::data
