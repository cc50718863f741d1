#include "base/result.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

void CheckAtLeast(const char* what, int64_t found, int64_t wanted) {
  if (found < wanted)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: found {}, wanted at least {}", what, found, wanted);
}

}  // namespace

Dataset DatasetOf(NodePtr node) { return Dataset(std::move(node)); }

Dataset Dataset::TFRecord(std::vector<std::string> files, ReaderOptions options) {
  return Dataset(MakeRecords(std::move(files), std::move(options), OpenTFRecord));
}
Dataset Dataset::RecordIO(std::vector<std::string> files, ReaderOptions options) {
  return Dataset(MakeRecords(std::move(files), std::move(options), OpenRecordIO));
}
Dataset Dataset::TextLine(std::vector<std::string> files, ReaderOptions options) {
  return Dataset(MakeRecords(std::move(files), std::move(options), OpenTextLine));
}
Dataset Dataset::PipeMode(const std::string& channel, PipeModeOptions options) {
  return Dataset(MakePipeMode(channel, options));
}
Dataset Dataset::FromTensorSlices(Tensor x) { return Dataset(MakeSlices(std::move(x))); }
Dataset Dataset::FromTensorSlices(Tensor x, Tensor y) { return Dataset(MakeSlices({std::move(x), std::move(y)})); }
Dataset Dataset::FromTensorSlices(std::vector<Tensor> components) {
  return Dataset(MakeSlices(Element(std::move(components))));
}
Dataset Dataset::FromTensorSlices(std::vector<Element::NamedTensor> components) {
  return Dataset(MakeSlices(Element::Named(std::move(components))));
}
Dataset Dataset::FromTensorSlices(std::vector<Element::NamedTensor> features, Tensor y) {
  features.emplace_back("", std::move(y));
  return FromTensorSlices(std::move(features));
}
Dataset Dataset::FromTensors(Tensor x) { return FromTensorSlices(std::move(x)); }
Dataset Dataset::FromTensors(Tensor x, Tensor y) { return FromTensorSlices(std::move(x), std::move(y)); }
Dataset Dataset::FromTensors(std::vector<Tensor> components) { return FromTensorSlices(std::move(components)); }
Dataset Dataset::FromElements(std::vector<Element> elements) { return Dataset(MakeElements(std::move(elements))); }
Dataset Dataset::FromStrings(std::vector<std::string> strings) { return Dataset(MakeStrings(std::move(strings))); }
Dataset Dataset::FromGenerator(std::function<Generator()> make) { return Dataset(MakeGenerator(std::move(make))); }

Dataset Dataset::map(MapFn fn, MapOptions options) const {
  CheckAtLeast("map: num_parallel_calls", options.num_parallel_calls, 1);
  return Dataset(MakeMap(node_, std::move(fn), nullptr, options));
}

Dataset Dataset::map(RandomMapFn fn, MapOptions options) const {
  CheckAtLeast("map: num_parallel_calls", options.num_parallel_calls, 1);
  return Dataset(MakeMap(node_, nullptr, std::move(fn), options));
}

Dataset Dataset::shuffle(int64_t buffer_size, ShuffleOptions options) const {
  CheckAtLeast("shuffle: buffer_size", buffer_size, 1);
  return Dataset(MakeShuffle(node_, buffer_size, options));
}

Dataset Dataset::batch(int64_t batch_size, BatchOptions options) const {
  CheckAtLeast("batch: batch_size", batch_size, 1);
  return Dataset(MakeBatch(node_, batch_size, options));
}

Dataset Dataset::repeat(int64_t count) const {
  CheckAtLeast("repeat: count", count, kInfinite);
  return Dataset(MakeRepeat(node_, count));
}

Dataset Dataset::prefetch(int64_t buffer_size) const {
  CheckAtLeast("prefetch: buffer_size", buffer_size, 1);
  return Dataset(MakePrefetch(node_, buffer_size));
}

Dataset Dataset::take(int64_t count) const {
  CheckAtLeast("take: count", count, -1);
  return Dataset(MakeTake(node_, count));
}

Dataset Dataset::skip(int64_t count) const {
  CheckAtLeast("skip: count", count, -1);
  return Dataset(MakeSkip(node_, count));
}

Dataset Dataset::shard(int64_t num_shards, int64_t index) const {
  CheckAtLeast("shard: num_shards", num_shards, 1);
  if (index < 0 || index >= num_shards)
    throw MakeError(ErrorCode::kInvalidArgument, "shard: found the index {}, wanted 0 to {}", index, num_shards - 1);
  return Dataset(MakeShard(node_, num_shards, index));
}

Dataset Dataset::interleave(NestFn fn, InterleaveOptions options) const {
  CheckAtLeast("interleave: cycle_length", options.cycle_length, 1);
  CheckAtLeast("interleave: block_length", options.block_length, 1);
  return Dataset(MakeInterleave(node_, std::move(fn), options));
}

int64_t Dataset::cardinality() const { return node_->cardinality(); }

ElementIterator Dataset::begin() const { return ElementIterator(MakeIterator()); }

// --- Iterator --------------------------------------------------------------------------------------------------

struct Iterator::Impl {
  NodePtr node;  // stages may refer to their nodes
  std::shared_ptr<std::atomic<bool>> stop = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Stage> stage;
  int64_t position = 0;
  std::exception_ptr error;

  ~Impl() { *stop = true; }

  // Runs a call of the stage; an error stays.
  template <typename Call>
  auto Guarded(const Call& call) {
    if (error) std::rethrow_exception(error);
    try {
      return call();
    } catch (...) {
      error = std::current_exception();
      throw;
    }
  }
};

Iterator Dataset::MakeIterator(uint64_t epoch) const {
  auto impl = std::make_unique<Iterator::Impl>();
  impl->node = node_;
  impl->stage = node_->Start(Context{.epoch = epoch, .stop = impl->stop});
  return Iterator(std::move(impl));
}

Iterator::Iterator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Iterator::Iterator(Iterator&&) noexcept = default;
Iterator& Iterator::operator=(Iterator&&) noexcept = default;
Iterator::~Iterator() = default;

std::optional<Element> Iterator::Next() {
  Element element;
  if (impl_->Guarded([&] { return impl_->stage->Pull(std::span(&element, 1)); }) == 0) return std::nullopt;
  ++impl_->position;
  return element;
}

int64_t Iterator::Skip(int64_t count) {
  CheckAtLeast("skip: count", count, 0);
  const int64_t skipped = impl_->Guarded([&] { return impl_->stage->Skip(count); });
  impl_->position += skipped;
  return skipped;
}

int64_t Iterator::position() const { return impl_->position; }

}  // namespace headrace::data
