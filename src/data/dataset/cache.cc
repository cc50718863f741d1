// cache() in memory and in a file, save() and Load().
#include <mutex>

#include "base/result.h"
#include "data/dataset/nodes.h"
#include "data/elements_file.h"

namespace headrace::data {
namespace {

class StoredStage : public ElementStage {
 public:
  explicit StoredStage(ElementsReader reader) : reader_(std::move(reader)) {}
  int64_t Skip(int64_t count) override { return ValueOrThrow(reader_.Skip(count)); }

 protected:
  bool PullOne(Element& out) override {
    auto element = ValueOrThrow(reader_.Next());
    if (!element) return false;
    out = std::move(*element);
    return true;
  }

 private:
  ElementsReader reader_;
};

// Sees every element of a run, and its end.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void Add(const Element& element) = 0;
  virtual void End() = 0;
};

// Hands on what it pulls and shows it to a recorder, which is dropped when a part of the run is passed over.
class RecordingStage : public Stage {
 public:
  RecordingStage(std::unique_ptr<Stage> upstream, std::unique_ptr<Recorder> recorder)
      : upstream_(std::move(upstream)), recorder_(std::move(recorder)) {}

  size_t Pull(std::span<Element> out) override {
    const size_t n = upstream_->Pull(out);
    if (recorder_) Show(out.first(n));
    return n;
  }
  bool PullSingle(Element& out) override {
    const bool any = upstream_->PullSingle(out);
    if (recorder_) Show(std::span(&out, any ? 1 : 0));
    return any;
  }
  int64_t Skip(int64_t count) override {
    if (count > 0) recorder_.reset();
    return upstream_->Skip(count);
  }

 private:
  void Show(std::span<const Element> elements) {
    for (const Element& element : elements) recorder_->Add(element);
    if (!elements.empty()) return;
    recorder_->End();
    recorder_.reset();
  }

  std::unique_ptr<Stage> upstream_;
  std::unique_ptr<Recorder> recorder_;  // null when there is nothing left to record
};

// The run that gets to the end first fills it.
struct CachedElements {
  std::mutex mutex;
  std::shared_ptr<const std::vector<Element>> elements;  // null until then

  std::shared_ptr<const std::vector<Element>> Get() {
    const std::lock_guard lock(mutex);
    return elements;
  }
};

class MemoryRecorder : public Recorder {
 public:
  explicit MemoryRecorder(std::shared_ptr<CachedElements> cache) : cache_(std::move(cache)) {}
  void Add(const Element& element) override { elements_.push_back(element); }
  void End() override {
    auto elements = std::make_shared<const std::vector<Element>>(std::move(elements_));
    const std::lock_guard lock(cache_->mutex);
    if (!cache_->elements) cache_->elements = std::move(elements);
  }

 private:
  std::shared_ptr<CachedElements> cache_;
  std::vector<Element> elements_;
};

class FileRecorder : public Recorder {
 public:
  explicit FileRecorder(const std::string& path) : writer_(path) {}
  void Add(const Element& element) override { writer_.Write(element); }
  void End() override { writer_.Close(); }

 private:
  ElementsWriter writer_;
};

// What is cached must not depend on which run fills it, so all run as the first one.
Context ToBeCached(Context context) {
  context.epoch = 0;
  context.retain = true;
  return context;
}

struct MemoryCacheNode : DerivedNode {
  std::shared_ptr<CachedElements> cache = std::make_shared<CachedElements>();
  using DerivedNode::DerivedNode;

  std::unique_ptr<Stage> Start(const Context& context) const override {
    if (auto elements = cache->Get()) return StartElements(std::move(elements));
    return std::make_unique<RecordingStage>(upstream->Start(ToBeCached(context)),
                                            std::make_unique<MemoryRecorder>(cache));
  }
  int64_t cardinality() const override {
    const auto elements = cache->Get();
    return elements ? static_cast<int64_t>(elements->size()) : upstream->cardinality();
  }
};

struct FileCacheNode : DerivedNode {
  std::string path;
  FileCacheNode(NodePtr below, std::string file) : DerivedNode(std::move(below)), path(std::move(file)) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    auto reader = ElementsReader::Open(path, context.stop);
    if (reader) return std::make_unique<StoredStage>(std::move(*reader));
    if (reader.error().code() != ErrorCode::kNotFound) throw std::move(reader.error());
    return std::make_unique<RecordingStage>(upstream->Start(ToBeCached(context)), std::make_unique<FileRecorder>(path));
  }
  int64_t cardinality() const override {
    const auto count = CountElements(path);
    return count ? *count : upstream->cardinality();
  }
};

struct LoadNode : Dataset::Node {
  std::string path;
  int64_t count;
  explicit LoadNode(std::string file) : path(std::move(file)), count(ValueOrThrow(CountElements(path))) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    return std::make_unique<StoredStage>(ValueOrThrow(ElementsReader::Open(path, context.stop)));
  }
  int64_t cardinality() const override { return count; }
};

}  // namespace

NodePtr MakeCache(NodePtr upstream, std::string file) {
  if (file.empty()) return std::make_shared<MemoryCacheNode>(std::move(upstream));
  return std::make_shared<FileCacheNode>(std::move(upstream), std::move(file));
}

NodePtr MakeLoad(std::string path) { return std::make_shared<LoadNode>(std::move(path)); }

void SaveElements(const Dataset& dataset, const std::string& path) {
  if (dataset.cardinality() == kInfinite)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "save: found a dataset without end, wanted a finite one: take() first");
  ElementsWriter writer(path);
  auto elements = dataset.MakeIterator();
  while (const auto element = elements.Next()) writer.Write(*element);
  writer.Close();
}

}  // namespace headrace::data
