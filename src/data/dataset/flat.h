// The elements of data sets that are made while a stage runs, one after the other.
#pragma once

#include <functional>
#include <optional>

#include "data/dataset/stage.h"

namespace headrace::data {

class FlatStage : public Stage {
 public:
  using NextDataset = std::function<std::optional<Dataset>()>;  // nullopt: there is none left

  FlatStage(NextDataset next, const Context& context) : next_(std::move(next)), context_(context) {}

  size_t Pull(std::span<Element> out) override;
  bool PullSingle(Element& out) override;
  int64_t Skip(int64_t count) override;

 private:
  bool Open();  // false at the end

  NextDataset next_;
  Context context_;
  NodePtr node_;  // outlives its stage
  std::unique_ptr<Stage> inner_;
  uint64_t opened_ = 0;
  bool ended_ = false;
};

}  // namespace headrace::data
