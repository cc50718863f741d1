// The elements of data sets that are opened while a stage runs, one data set after the other.
#pragma once

#include <functional>
#include <optional>

#include "data/dataset/stage.h"

namespace headrace::data {

struct OpenDataset {
  NodePtr node;  // outlives its stage, which is destroyed first
  std::unique_ptr<Stage> stage;
};

// Opens data sets that are made while a stage runs, each with random numbers of its own.
class Opener {
 public:
  explicit Opener(const Context& context) : context_(context) {}

  OpenDataset Open(const Dataset& dataset) {
    Context context = context_;
    context.epoch = Random::Mix(context_.epoch + Random::Mix(++opened_));
    return {dataset.node(), dataset.node()->Start(context)};
  }

 private:
  Context context_;
  uint64_t opened_ = 0;
};

class FlatStage : public Stage {
 public:
  using Next = std::function<std::optional<OpenDataset>()>;     // nullopt: there is none left
  using NextDataset = std::function<std::optional<Dataset>()>;  // likewise; to be opened

  explicit FlatStage(Next next) : next_(std::move(next)) {}
  FlatStage(NextDataset next, const Context& context);

  size_t Pull(std::span<Element> out) override;
  bool PullSingle(Element& out) override;
  int64_t Skip(int64_t count) override;

 private:
  bool Open();  // false at the end

  Next next_;  // null after the end
  std::optional<OpenDataset> inner_;
};

}  // namespace headrace::data
