// headrace/data/dataset.h: input pipelines. Included by headrace/data.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
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

class Dataset;

using MapFn = std::function<Element(Element)>;
using RandomMapFn = std::function<Element(Element, Random&)>;
using FilterFn = std::function<bool(const Element&)>;
using NestFn = std::function<Dataset(Element)>;  // must be pure, as those that follow
using WindowFn = std::function<Dataset(const Dataset& window)>;
using KeyFn = std::function<int64_t(const Element&)>;
using ReduceGroupFn = std::function<Dataset(int64_t key, const Dataset& group)>;
using ReduceFn = std::function<Element(Element state, Element element)>;  // the next state
// The next state, and the element that takes the place of this one.
using ScanFn = std::function<std::pair<Element, Element>(Element state, Element element)>;
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

// Of padded_batch(), with one entry a component each.
struct PaddedBatchOptions {
  std::vector<Shape> padded_shapes;    // -1: as long as the longest element of the batch. Empty: all axes are
  std::vector<double> padding_values;  // one may stand for all components; empty: zeros
  bool drop_remainder = false;
};

struct BucketOptions {
  // As those of padded_batch(). With pad_to_bucket_boundary, -1 is the bucket's boundary less one, and without any
  // shapes that is what first axes are padded to.
  std::vector<Shape> padded_shapes;
  std::vector<double> padding_values;
  bool pad_to_bucket_boundary = false;  // elements must be shorter than the last boundary then
  bool no_padding = false;              // elements of a bucket have one shape already
  bool drop_remainder = false;
};

struct WindowOptions {
  int64_t shift = 0;            // from the first element of a window to that of the next; 0: the window's size
  int64_t stride = 1;           // from one element of a window to the next
  bool drop_remainder = false;  // leaves out windows at the end that are not whole
};

struct SampleOptions {
  uint64_t seed = 0;
  bool stop_on_empty_dataset = false;      // ends with the first dataset that ends; else goes on with the others
  bool rerandomize_each_iteration = true;  // false: every epoch, and every pass of a later repeat(), has one order
};

struct ListFilesOptions {
  bool shuffle = true;  // false: in the order of their names
  uint64_t seed = 0;
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

class WindowedDataset;

// For range-based loops over a Dataset.
class ElementIterator {
 public:
  using value_type = Element;
  using difference_type = ptrdiff_t;

  const Element& operator*() const { return *element_; }
  const Element* operator->() const { return &*element_; }
  ElementIterator& operator++() {
    element_ = iterator_->Next();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !element_; }

 private:
  friend class Dataset;
  explicit ElementIterator(Iterator iterator) : iterator_(std::make_shared<Iterator>(std::move(iterator))) { ++*this; }
  std::shared_ptr<Iterator> iterator_;
  std::optional<Element> element_;
};

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
  // Rows: element i is {x[i], y[i]}, views into x and y. All first axes must have one length. With names, each row has
  // them: FromTensorSlices({{"age", ages}, {"city", cities}}, labels).
  static Dataset FromTensorSlices(Tensor x);
  static Dataset FromTensorSlices(Tensor x, Tensor y);
  static Dataset FromTensorSlices(std::vector<Tensor> components);
  static Dataset FromTensorSlices(std::vector<Element::NamedTensor> components);
  static Dataset FromTensorSlices(std::vector<Element::NamedTensor> features, Tensor y);
  // The same under an older name.
  static Dataset FromTensors(Tensor x);
  static Dataset FromTensors(Tensor x, Tensor y);
  static Dataset FromTensors(std::vector<Tensor> components);
  static Dataset FromElements(std::vector<Element> elements);
  // int64 scalars: 0 to stop - 1, or start, start + step, … before stop; Counter() goes on without an end.
  static Dataset Range(int64_t stop);
  static Dataset Range(int64_t start, int64_t stop, int64_t step = 1);
  static Dataset Counter(int64_t start = 0, int64_t step = 1);
  // The names of files that match a pattern of the shell (or several), as uint8 [bytes]. Throws kNotFound when none
  // does.
  static Dataset ListFiles(const std::string& pattern, ListFilesOptions options = {});
  static Dataset ListFiles(const std::vector<std::string>& patterns, ListFilesOptions options = {});
  // What save() has written. Opened at once: kNotFound, or kDataLoss for a file that is not whole.
  static Dataset Load(const std::string& path);
  // One uint8 [bytes] element a string, for file names before interleave().
  static Dataset FromStrings(std::vector<std::string> strings);
  // `make` is called once a pass (an iterator, or a round of repeat()).
  static Dataset FromGenerator(std::function<Generator()> make);

  // Element i is the components of the elements i of all data sets, one behind the other; as long as the shortest.
  static Dataset Zip(std::vector<Dataset> datasets);
  // The next element of the dataset whose number (an int64 scalar) `choices` says. Ends with the first dataset that
  // ends, or, without stop_on_empty_dataset, goes on with the others.
  static Dataset ChooseFromDatasets(std::vector<Dataset> datasets, const Dataset& choices,
                                    bool stop_on_empty_dataset = true);
  // The next element of a random dataset, each by its weight (none: alike). Weights need not add up to 1.
  static Dataset SampleFromDatasets(std::vector<Dataset> datasets, std::vector<double> weights = {},
                                    SampleOptions options = {});

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
  // The same for elements of different shapes (not types or numbers of axes): padded at the end of each axis.
  Dataset padded_batch(int64_t batch_size, PaddedBatchOptions options = {}) const;
  // Batches of elements of similar length: bucket i has those below bucket_boundaries[i] and not below the one before,
  // one more those that are left; bucket_batch_sizes therefore has one number more.
  Dataset bucket_by_sequence_length(KeyFn element_length_func, std::vector<int64_t> bucket_boundaries,
                                    std::vector<int64_t> bucket_batch_sizes, BucketOptions options = {}) const;
  // Collects `window_size` elements of one key, then yields the elements of reduce_func(key, those elements). What is
  // left at the end follows by key.
  Dataset group_by_window(KeyFn key_func, ReduceGroupFn reduce_func, int64_t window_size) const;
  Dataset group_by_window(KeyFn key_func, ReduceGroupFn reduce_func,
                          std::function<int64_t(int64_t key)> window_size_func) const;
  // Rows of each element as elements of their own; batches of another size.
  Dataset unbatch() const;
  Dataset rebatch(int64_t batch_size, BatchOptions options = {}) const;
  // Runs of `size` consecutive elements, each a data set:
  //   Dataset::Range(10).window(5, {.shift = 1, .drop_remainder = true})
  //       .flat_map([](const Dataset& window) { return window.batch(5); })
  WindowedDataset window(int64_t size, WindowOptions options = {}) const;

  Dataset filter(FilterFn predicate) const;      // those for which it is true
  Dataset take_while(FilterFn predicate) const;  // those before the first for which it is false
  Dataset unique() const;                        // without those that came before; remembers all
  Dataset concatenate(const Dataset& dataset) const;
  Dataset enumerate(int64_t start = 0) const;  // an int64 scalar in front of each: start, start + 1, …
  // The elements of fn(element), of one element after the other.
  Dataset flat_map(NestFn fn) const;
  // fn(state, element) gives the next state and an element in place of this one.
  Dataset scan(Element initial_state, ScanFn fn) const;
  template <typename Fn>
  Dataset apply(const Fn& fn) const {
    return fn(*this);
  }

  // Keeps the elements of the first run that gets to the end, in memory or in a file, and yields them in all later
  // ones. What is below runs as in epoch 0 always, so random numbers and orders below are cached, too; put shuffle()
  // and augmentation above. A file that is there is taken as it is, also by other programs: delete it when the data
  // changes.
  Dataset cache(const std::string& filename = "") const;
  // Writes all elements to a file, for Load(): docs/formats/elements.md.
  void save(const std::string& path) const;

  Dataset repeat(int64_t count = kInfinite) const;  // an empty dataset stays empty
  // A thread of its own keeps up to `buffer_size` elements ready.
  Dataset prefetch(int64_t buffer_size) const;
  Dataset take(int64_t count) const;  // -1: all
  Dataset skip(int64_t count) const;  // -1: all; skipped elements are not computed, as in Iterator::Skip
  // Elements whose index modulo num_shards is `index`. Put it before shuffle() and map().
  Dataset shard(int64_t num_shards, int64_t index) const;
  // The elements of fn(element) for several elements at once, taken in turn; a dataset that ends is replaced by the
  // next.
  Dataset interleave(NestFn fn, InterleaveOptions options = {}) const;

  // Number of elements, kInfinite, or kUnknown when only reading would tell.
  int64_t cardinality() const;
  // Says what only reading would tell. A run that has another number of elements throws kFailedPrecondition.
  Dataset assert_cardinality(int64_t expected) const;

  Element reduce(Element initial_state, const ReduceFn& fn) const;  // the last state
  Element get_single_element() const;                               // throws kInvalidArgument for none and for several
  // for (const data::Element& element : dataset)
  ElementIterator begin() const;
  std::default_sentinel_t end() const { return {}; }

  // `epoch` tells one run through the dataset from the next: it decides the order of shuffle() and the random numbers
  // of map(). fit() passes the epoch's index for a finite dataset and keeps one iterator for an endless one.
  Iterator MakeIterator(uint64_t epoch = 0) const;

  struct Node;  // internal
  const std::shared_ptr<const Node>& node() const { return node_; }

 private:
  friend class WindowedDataset;
  friend Dataset DatasetOf(std::shared_ptr<const Node> node);
  explicit Dataset(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

// What window() makes: each element is a data set.
class WindowedDataset {
 public:
  // The elements of fn(window), of one window after the other.
  Dataset flat_map(WindowFn fn) const;

 private:
  friend class Dataset;
  WindowedDataset(Dataset dataset, int64_t size, WindowOptions options)
      : dataset_(std::move(dataset)), size_(size), options_(options) {}
  Dataset dataset_;
  int64_t size_;
  WindowOptions options_;
};

// As tf.data spells them.
inline Dataset TFRecordDataset(std::vector<std::string> files, ReaderOptions options = {}) {
  return Dataset::TFRecord(std::move(files), std::move(options));
}
inline Dataset TextLineDataset(std::vector<std::string> files, ReaderOptions options = {}) {
  return Dataset::TextLine(std::move(files), std::move(options));
}

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
