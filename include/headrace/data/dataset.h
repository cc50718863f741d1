// headrace/data/dataset.h: input pipelines. Included by headrace/data.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "headrace/data/element.h"
#include "headrace/data/records.h"
#include "headrace/tensor.h"

namespace headrace::data {

// The elements of a Dataset, in order. Destroying it at any time stops and joins its threads. One caller at a time.
class Iterator {
 public:
  Iterator(Iterator&&) noexcept;
  Iterator& operator=(Iterator&&) noexcept;
  ~Iterator();

  // The next element, or nullopt at the end. An error of a source or of a map function is thrown when its element's
  // turn comes (those before it are delivered), and again by every later call.
  std::optional<Element> Next();
  // Passes over up to `count` elements and returns how many there were. Before the first Next() this is how training
  // resumes: the stream continues with the very same bits, but skipped elements are not computed (map functions do not
  // run, whole passes of repeat() are jumped over, shuffle() only draws its random numbers), so it takes milliseconds.
  // Errors of skipped elements are not seen. After the first Next() the elements are computed and dropped.
  int64_t Skip(int64_t count);
  int64_t position() const;  // elements returned or skipped so far

 private:
  friend class Dataset;
  struct Impl;
  explicit Iterator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

using MapFn = std::function<Element(Element)>;
using RandomMapFn = std::function<Element(Element, Random&)>;
// Called once an element until it returns nullopt. Of one iterator, never by two threads at once.
using Generator = std::function<std::optional<Element>()>;

struct MapOptions {
  // Above 1, up to this many calls run at once, on no more threads than the machine has cores; their order is kept.
  int num_parallel_calls = 1;
  uint64_t seed = 0;  // of the Random handed to the function; see Dataset::map
};

struct ShuffleOptions {
  uint64_t seed = 0;
  bool reshuffle_each_iteration = true;  // false: every pass of a later repeat(), and every epoch, has one order
};

struct BatchOptions {
  bool drop_remainder = false;
};

struct InterleaveOptions {
  int64_t cycle_length = 4;  // datasets open at once
  int64_t block_length = 1;  // consecutive elements taken from each in turn
};

// Of a channel in Pipe mode; the defaults are those of SageMaker's PipeModeDataset.
struct PipeModeOptions {
  std::string record_format = "RecordIO";  // or "TFRecord", "TextLine"
  // Empty: pipe_state, input/data and input/config below /opt/ml.
  std::string state_dir, pipe_dir, config_dir;
  bool benchmark = false;                     // prints time, bytes and GB/s of reading at the end of every epoch
  int64_t benchmark_records_interval = 0;     // with `benchmark`: prints every so many records as well; 0: does not
  int64_t max_corrupted_records_to_skip = 0;  // of an epoch; they are counted in a line of output
  double wait_seconds = 600;                  // a FIFO that does not appear, or brings nothing, is an error after that
};

inline constexpr int64_t kInfinite = -1;
inline constexpr int64_t kUnknown = -2;

// A description of a stream of elements: immutable, cheap to copy, free of threads and open files; MakeIterator() runs
// it. Everything is deterministic: the same description and the same `epoch` give the same bits whatever the number of
// threads and their timing.
class Dataset {
 public:
  // Records of the files, one after the other, as uint8 [bytes]: views into the read buffer, nothing is copied.
  // A file may be a FIFO. Opened when the first of its records is asked for.
  static Dataset TFRecord(std::vector<std::string> files, ReaderOptions options = {});
  static Dataset RecordIO(std::vector<std::string> files, ReaderOptions options = {});
  // Lines of text without their "\n" or "\r\n", as uint8 [bytes].
  static Dataset TextLine(std::vector<std::string> files, ReaderOptions options = {});
  // Records of a training job's channel in Pipe mode; see PipeModeDataset below.
  static Dataset PipeMode(const std::string& channel, PipeModeOptions options = {});
  // Rows: element i is {x[i], y[i]}, views into x and y. All first axes must have one length.
  static Dataset FromTensors(Tensor x);
  static Dataset FromTensors(Tensor x, Tensor y);
  static Dataset FromTensors(std::vector<Tensor> components);
  // One uint8 [bytes] element a string, for file names before interleave().
  static Dataset FromStrings(std::vector<std::string> strings);
  // `make` is called once a pass (an iterator, or a round of repeat()).
  static Dataset FromGenerator(std::function<Generator()> make);

  // fn(element), or fn(element, random) with a Random of its own for every element, seeded from (options.seed, this
  // stage's place in the chain, pass, element index). Called on several threads at once when parallel. What it throws
  // comes out of Iterator::Next().
  Dataset map(MapFn fn, MapOptions options = {}) const;
  Dataset map(RandomMapFn fn, MapOptions options = {}) const;
  // Keeps a buffer of `buffer_size` elements, emits a uniformly random one and refills its slot. Before repeat() passes
  // stay apart, after repeat() they blend.
  Dataset shuffle(int64_t buffer_size, ShuffleOptions options = {}) const;
  // Stacks `batch_size` elements; dtypes and shapes must agree. The memory of a batch is used again once all its
  // tensors are gone.
  Dataset batch(int64_t batch_size, BatchOptions options = {}) const;
  Dataset repeat(int64_t count = kInfinite) const;  // an empty dataset stays empty
  // A thread of its own keeps up to `buffer_size` elements ready.
  Dataset prefetch(int64_t buffer_size) const;
  Dataset take(int64_t count) const;  // -1: all
  Dataset skip(int64_t count) const;  // -1: all; skipped elements are not computed, as in Iterator::Skip
  // Elements whose index modulo num_shards is `index`. Put it before shuffle() and map().
  Dataset shard(int64_t num_shards, int64_t index) const;
  // The elements of fn(element) for several elements at once, taken in turn; a dataset that ends is replaced by the
  // next. fn must be pure.
  Dataset interleave(std::function<Dataset(Element)> fn, InterleaveOptions options = {}) const;

  // Number of elements, kInfinite, or kUnknown when only reading would tell.
  int64_t cardinality() const;

  // `epoch` tells one run through the dataset from the next: it decides the order of shuffle() and the random numbers
  // of map(). fit() passes the epoch's index for a finite dataset and keeps one iterator for an endless one.
  Iterator MakeIterator(uint64_t epoch = 0) const;

  struct Node;  // internal
  const std::shared_ptr<const Node>& node() const { return node_; }

 private:
  explicit Dataset(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

// The records of a training job's channel in Pipe mode, as uint8 [bytes], straight from the pipe that the platform
// fills:
//
//   auto train = data::PipeModeDataset("train", "TFRecord").repeat().prefetch(10).map(Parse).batch(256);
//
// Every run (an iterator, a turn of repeat(), a process) is one epoch of the channel and reads the whole of it, unless
// it stops early. Runs of one host share a counter of epochs, so any number of data sets and processes may read a
// channel; each gets epochs of its own. Ranks of one host therefore divide their host's stream with shard() only where
// every epoch has the same order, without ShuffleConfig; else each needs a channel of its own. Throws at once for a
// channel that the job has not (naming those it has) or that is not in Pipe mode (saying how to read it instead).
// Reading throws kUnavailable when the platform's side is gone.
inline Dataset PipeModeDataset(const std::string& channel, PipeModeOptions options = {}) {
  return Dataset::PipeMode(channel, std::move(options));
}
inline Dataset PipeModeDataset(const std::string& channel, const std::string& record_format) {
  PipeModeOptions options;
  options.record_format = record_format;
  return Dataset::PipeMode(channel, std::move(options));
}
// How the training job gives this program a channel: "File", "FastFile" (files as well) or "Pipe". Outside a job:
// "File".
std::string ChannelInputMode(const std::string& channel);
// Whether this program's host has its own share of the channel's objects (S3DataDistributionType ShardedByS3Key), which
// its ranks then divide by local_rank and local_size; otherwise every host has all of them. Outside a job: false.
bool ChannelIsSharded(const std::string& channel);

}  // namespace headrace::data
