// data.h: record files, tf.Example and input pipelines, in the manner of tf.data.
//
//   auto train = data::Dataset::TFRecord({"train.tfrecords"})
//                    .repeat()
//                    .prefetch(10)
//                    .map(data::cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = 1})
//                    .shuffle(20000 + 3 * 256, {.seed = 1})
//                    .batch(256, {.drop_remainder = true});
//   auto batches = train.MakeIterator();
//   while (auto batch = batches.Next()) Use(batch->x(), batch->y());  // uint8 [256, 32, 32, 3], float32 [256, 10]
//
// Everything here throws headrace::Error: kNotFound for a missing file, kDataLoss for bytes that are truncated or
// corrupt, kResourceExhausted for a record above the limit, kInvalidArgument for misuse.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headrace/error.h"
#include "headrace/tensor.h"

namespace headrace::data {

// --- Elements and random numbers -------------------------------------------------------------------------------

// What a Dataset yields: a short list of tensors. A record source yields one uint8 tensor [bytes]; parsing turns it
// into {image, label}; batch() stacks each component along a new first axis. Copies share the tensors' bytes.
class Element {
 public:
  Element() = default;
  Element(Tensor x) { components_.push_back(std::move(x)); }
  Element(Tensor x, Tensor y) {
    components_.reserve(2);
    components_.push_back(std::move(x));
    components_.push_back(std::move(y));
  }
  explicit Element(std::vector<Tensor> components) : components_(std::move(components)) {}

  size_t size() const { return components_.size(); }
  const Tensor& operator[](size_t index) const { return components_[index]; }
  Tensor& operator[](size_t index) { return components_[index]; }
  const Tensor& x() const { return at(0); }  // the first component: the model's input
  const Tensor& y() const { return at(1); }  // the second: the target. Both throw when there is none
  const std::vector<Tensor>& components() const { return components_; }

 private:
  const Tensor& at(size_t index) const;
  std::vector<Tensor> components_;
};

// The bytes of a tensor of any type; valid as long as the tensor.
std::string_view Bytes(const Tensor& tensor);
// A uint8 tensor [bytes] with a copy of `bytes`.
Tensor FromBytes(std::string_view bytes);

// A small random number generator (SplitMix64). The same seed gives the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }
  // Uniform in [0, bound), bound > 0.
  uint64_t Below(uint64_t bound) { return static_cast<uint64_t>(static_cast<Wide>(Next()) * bound >> 64); }
  // Uniform in [0, 1), a multiple of 2^-24.
  float Uniform() { return static_cast<float>(Next() >> 40) * 0x1p-24f; }

  // A bijection of 64-bit words whose every output bit depends on every input bit.
  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  uint64_t state_;
};

// --- Record files ----------------------------------------------------------------------------------------------

enum class Compression : uint8_t {
  kAuto,  // readers only: gzip or zlib when the first bytes say so and are not those of a plain file
  kNone,
  kGzip,
  kZlib,
};

// Counts of what readers did; may be shared by several readers and read at any time.
struct ReadStats {
  std::atomic<uint64_t> records{0};
  std::atomic<uint64_t> skipped{0};        // corrupt places passed over
  std::atomic<uint64_t> skipped_bytes{0};  // bytes in them
  std::atomic<uint64_t> repaired{0};       // checksums that were wrong, and right at a second reading (Pipe mode)
};

struct ReaderOptions {
  Compression compression = Compression::kAuto;
  // A longer record is refused (kResourceExhausted) before memory is allocated for it.
  size_t max_record_bytes = size_t{256} << 20;
  // Bytes asked of the system at once; grows for a longer record.
  size_t buffer_bytes = size_t{256} << 10;
  bool verify_checksums = true;  // of the data; the checksum of a length is always verified
  // Pass over corrupt records instead of throwing: one with a wrong checksum of its data is left out; after a wrong
  // length the reader searches the next place that looks like a record. Each place counts once in `stats`.
  bool skip_corrupt = false;
  int64_t max_skipped = -1;          // places passed over before the next one throws after all; -1: any number
  std::shared_ptr<ReadStats> stats;  // or null
};

struct WriterOptions {
  Compression compression = Compression::kNone;
  int level = -1;  // 1 (fast) to 9 (small); -1 is zlib's default, 6
};

// Where a record lies: offsets count bytes of the uncompressed stream.
struct RecordPosition {
  uint64_t index = 0;   // 0 for the first record of the file
  uint64_t offset = 0;  // of its first byte (the length), in the uncompressed stream
};

// TFRecord: length, masked CRC32C of the length, data, masked CRC32C of the data. docs/formats/tfrecord.md.
class TFRecordReader {
 public:
  explicit TFRecordReader(std::string path, ReaderOptions options = {});
  TFRecordReader(TFRecordReader&&) noexcept;
  TFRecordReader& operator=(TFRecordReader&&) noexcept;
  ~TFRecordReader();

  // The next record, or nullopt at the end of the file. The bytes are valid until the next call.
  std::optional<std::string_view> Next();
  RecordPosition position() const;  // of the record that Next() last returned

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes to a temporary file beside `path`, which gets its name in Close(); dropped without it, nothing is left.
class TFRecordWriter {
 public:
  explicit TFRecordWriter(const std::string& path, WriterOptions options = {});
  TFRecordWriter(TFRecordWriter&&) noexcept;
  TFRecordWriter& operator=(TFRecordWriter&&) noexcept;
  ~TFRecordWriter();

  void Write(std::string_view record);
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// RecordIO as MXNet and SageMaker write it: magic, flag and length, data padded to four bytes; no checksum.
// docs/formats/recordio.md. The same contracts as above; records are shorter than 2^29 bytes.
class RecordIOReader {
 public:
  explicit RecordIOReader(std::string path, ReaderOptions options = {});
  RecordIOReader(RecordIOReader&&) noexcept;
  RecordIOReader& operator=(RecordIOReader&&) noexcept;
  ~RecordIOReader();

  std::optional<std::string_view> Next();
  RecordPosition position() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class RecordIOWriter {
 public:
  explicit RecordIOWriter(const std::string& path, WriterOptions options = {});
  RecordIOWriter(RecordIOWriter&&) noexcept;
  RecordIOWriter& operator=(RecordIOWriter&&) noexcept;
  ~RecordIOWriter();

  void Write(std::string_view record);
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// CRC32C (Castagnoli) of `bytes`, continuing from `crc`, and the form that TFRecord stores.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);
inline uint32_t MaskCrc(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }
inline uint32_t UnmaskCrc(uint32_t masked) {
  const uint32_t rotated = masked - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

// --- tf.train.Example ------------------------------------------------------------------------------------------

// A serialized tf.train.Example, read in place: views point into the bytes given, which must outlive this object.
// Of two features with one name the last counts, packed and unpacked lists are alike, as protobuf wants it.
// Getters throw kInvalidArgument naming the feature when it is missing, of another kind, or of another count.
class ExampleView {
 public:
  explicit ExampleView(std::string_view serialized);  // kDataLoss when it is no Example

  size_t size() const { return inline_count_ + overflow_.size(); }
  std::vector<std::string_view> names() const;  // in the order of the bytes
  bool Has(std::string_view name) const;
  bool HasList(std::string_view name) const;  // and it says of which kind its values are, be there any or not

  // Of a feature with exactly one value.
  std::string_view Bytes(std::string_view name) const;
  int64_t Int64(std::string_view name) const;
  float Float(std::string_view name) const;

  std::vector<std::string_view> BytesList(std::string_view name) const;
  std::vector<int64_t> Int64List(std::string_view name) const;
  std::vector<float> FloatList(std::string_view name) const;

  // Fills `values` from a feature with exactly as many.
  void Int64s(std::string_view name, std::span<int64_t> values) const;
  void Floats(std::string_view name, std::span<float> values) const;

 private:
  enum class Kind : uint8_t { kNone = 0, kBytes = 1, kFloat = 2, kInt64 = 3 };  // field numbers of Feature's oneof
  struct Feature {
    std::string_view name, message;  // message: the Feature from the field on that decided its kind
    Kind kind = Kind::kNone;
  };
  void Parse(std::string_view features);
  void Add(std::string_view entry);
  const Feature* Find(std::string_view name) const;
  const Feature& Get(std::string_view name, Kind wanted) const;

  std::array<Feature, 8> inline_;  // most examples are small: no allocation for them
  size_t inline_count_ = 0;
  std::vector<Feature> overflow_;
};

// Builds a serialized Example. Features are written in the order of their names, so equal contents give equal bytes.
class ExampleBuilder {
 public:
  ExampleBuilder& Bytes(std::string name, std::string_view value);
  ExampleBuilder& Int64(std::string name, int64_t value);
  ExampleBuilder& Float(std::string name, float value);
  ExampleBuilder& BytesList(std::string name, const std::vector<std::string_view>& values);
  ExampleBuilder& Int64List(std::string name, const std::vector<int64_t>& values);
  ExampleBuilder& FloatList(std::string name, const std::vector<float>& values);
  std::string Serialize() const;

 private:
  ExampleBuilder& Set(std::string name, std::string feature);
  std::vector<std::pair<std::string, std::string>> features_;  // name and serialized Feature, sorted by name
};

// --- Dataset ---------------------------------------------------------------------------------------------------

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

// --- Images ----------------------------------------------------------------------------------------------------

// Functions of one image [h, w, c] of any dtype, with the semantics of their namesakes in tf.image.
namespace image {

Tensor ChwToHwc(const Tensor& chw);  // [c, h, w] -> [h, w, c]
// Central crop or zero padding; an odd difference leaves the extra row or column at the bottom or right.
Tensor ResizeWithCropOrPad(const Tensor& hwc, int64_t height, int64_t width);
Tensor Crop(const Tensor& hwc, int64_t top, int64_t left, int64_t height, int64_t width);
Tensor FlipLeftRight(const Tensor& hwc);
Tensor RandomCrop(const Tensor& hwc, int64_t height, int64_t width, Random& random);
Tensor RandomFlipLeftRight(const Tensor& hwc, Random& random);  // with probability 1/2

// What an augmentation does to one image: pad by `padding` zeros on every side, cut out [h, w] at (top, left) of the
// padded image, mirror. top and left are in [0, 2 padding].
struct CropAndFlip {
  int64_t padding = 0, top = 0, left = 0;
  bool flip = false;
  static CropAndFlip Draw(int64_t padding, Random& random);  // the draws of RandomCrop, then RandomFlipLeftRight
};
// ChwToHwc, ResizeWithCropOrPad, Crop and FlipLeftRight in one pass over a uint8 image [3, h, w].
Tensor AugmentChw(const Tensor& chw, const CropAndFlip& what);

}  // namespace image

// --- CIFAR-10 --------------------------------------------------------------------------------------------------

namespace cifar10 {

inline constexpr int64_t kClasses = 10, kSide = 32, kChannels = 3, kImageBytes = 3072;
extern const std::array<const char*, kClasses> kClassNames;  // "airplane" ... "truck"

// A record of the files that `headrace dataset cifar10` writes (an Example with `image`, 3072 bytes CHW, and `label`)
// to {image uint8 [32, 32, 3], one-hot float32 [10]}. Pixels stay 0..255.
Element ParseRecord(const Element& record);
// The same with the usual augmentation: padded to 40 x 40, cut to a random 32 x 32, mirrored half of the time.
Element ParseAndAugment(const Element& record, Random& random);
// The serialized Example of one image.
std::string EncodeRecord(std::string_view image_chw, int64_t label);

}  // namespace cifar10

}  // namespace headrace::data
