// Horovod for C++ programs: the same program runs as several ranks, started by mpirun or by a training job with MPI.
//
//   hvd::init();
//   auto train = data::Dataset::TFRecord(files).shard(hvd::size(), hvd::rank())...
//   const hvd::Array mean = hvd::allreduce(loss);
//
// Without mpirun there is one rank, and MPI is not started. Link headrace::horovod (-lheadrace_horovod). All functions
// throw Error: kFailedPrecondition before init(); kInvalidArgument when the ranks disagree about a collective, on each
// of them, with the rank, the tensor and both values; kUnavailable when a rank is missing or gone (see
// docs/horovod.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "headrace/error.h"
#include "headrace/keras.h"
#include "headrace/tensor.h"

namespace headrace::hvd {

// The element types of Horovod, with its numbers, and bfloat16.
enum class DataType : uint8_t {
  kUInt8 = 0,
  kInt8 = 1,
  kUInt16 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kFloat16 = 6,
  kFloat32 = 7,
  kFloat64 = 8,
  kBool = 9,
  kBFloat16 = 10
};
size_t SizeOf(DataType type);       // bytes of one element
const char* NameOf(DataType type);  // "float32"
DataType DataTypeOf(DType dtype);

// With Horovod's numbers. Average is the sum divided by the number of ranks.
enum class ReduceOp : uint8_t { kAverage = 0, kSum = 1, kAdasum = 2, kMin = 3, kMax = 4, kProduct = 5 };
const char* NameOf(ReduceOp op);  // "average"

// How float32 values travel between machines. Within a machine nothing is compressed.
enum class Compression : uint8_t { kNone, kFloat16, kBFloat16 };

// Joins the other ranks; the first call of a program, before it starts threads or computes: the rank takes its share of
// the processors here. A second call does nothing. kUnavailable when the ranks do not find each other.
void init();
// The same, and process sets that get the numbers 1, 2, ... in this order on all ranks.
void init(const std::vector<std::vector<int>>& process_sets);
// Says goodbye to the other ranks. What they still wait for with this rank ends with an error. At the end of the
// program it is called by itself.
void shutdown();
bool is_initialized();

// Rank 0 writes what the ranks do together into a file of Chrome's trace events; HOROVOD_TIMELINE names one from the
// beginning. Throw Error: kNotFound when the file cannot be made, kFailedPrecondition when one is being written.
void start_timeline(const std::string& path, bool mark_cycles = false);
void stop_timeline();

int rank();             // 0 .. size() - 1, in the whole job
int size();             // ranks of the whole job
int local_rank();       // among the ranks of this host
int local_size();       // ranks of this host
int cross_rank();       // among the ranks with this local_rank on all hosts: the number of the host
int cross_size();       // how many hosts have a rank with this local_rank
bool is_homogeneous();  // whether all hosts have equally many ranks

// A dense array of any of the element types. Copying it copies the handle, as with Tensor.
class Array {
 public:
  Array() = default;
  Array(DataType dtype, std::vector<int64_t> shape);  // zeros; kInvalidArgument when a dimension is negative
  Array(const Tensor& tensor);                        // NOLINT: the same bytes
  // A copy of `values`; without a shape one dimension. T: an integer, float or double.
  template <typename T>
  static Array Of(const std::vector<T>& values, std::vector<int64_t> shape = {});

  DataType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t size() const;  // elements
  size_t bytes() const { return static_cast<size_t>(size()) * SizeOf(dtype_); }
  void* raw() const { return data_; }
  template <typename T>
  T* data() const {  // unchecked: T is the type of the elements
    return static_cast<T*>(data_);
  }
  template <typename T>
  std::vector<T> values() const {  // a copy
    return std::vector<T>(data<T>(), data<T>() + size());
  }
  Array clone() const;
  Tensor tensor() const;  // the same bytes; kInvalidArgument for types that tensor.h does not have

 private:
  DataType dtype_ = DataType::kFloat32;
  std::vector<int64_t> shape_ = {0};
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

// A collective without a name gets one from its kind and its number: then all ranks must call them in the same order.
// Names must not be under way already: kAlreadyExists.
struct CollectiveOptions {
  std::string name;
  int process_set = 0;  // 0: all ranks
};

struct ReduceOptions {
  std::string name;
  ReduceOp op = ReduceOp::kAverage;
  Compression compression = Compression::kNone;
  double prescale_factor = 1, postscale_factor = 1;  // applied before and after the reduction
  int process_set = 0;
};

// The element by element reduction of all ranks' arrays, which have one shape and type. Not of a bool's average; adasum
// of floats, on 1, 2, 4, 8, ... ranks.
Array allreduce(const Array& array, const ReduceOptions& options = {});
// The same in place of the array's own values.
void allreduce_(const Array& array, const ReduceOptions& options = {});
// All of them as one: none is reduced before all are there on all ranks.
std::vector<Array> grouped_allreduce(const std::vector<Array>& arrays, const ReduceOptions& options = {});
// All ranks' arrays, one after another along the first dimension, which may differ.
Array allgather(const Array& array, const CollectiveOptions& options = {});
// The array of rank `root`, for all.
Array broadcast(const Array& array, int root, const CollectiveOptions& options = {});
void broadcast_(const Array& array, int root, const CollectiveOptions& options = {});
// Any bytes of rank `root`; what the others give is not looked at.
std::string broadcast_object(const std::string& bytes, int root, const CollectiveOptions& options = {});

struct AlltoallResult {
  Array output;
  std::vector<int64_t> received_splits;  // rows from each rank
};
// The first splits[0] rows go to the set's first rank, the next splits[1] to its second ...; without splits equally
// many.
AlltoallResult alltoall(const Array& array, const std::vector<int64_t>& splits = {},
                        const CollectiveOptions& options = {});
// Each rank gets some rows of the reduction, the first `rows % size` ranks one more than the others. Not of adasum.
Array reducescatter(const Array& array, const ReduceOptions& options = {});
void barrier(const CollectiveOptions& options = {});
// This rank has no more data: it takes part in the others' allreduces (sum and average) with zeros until all have
// joined. Averages still divide by all ranks. Other collectives are errors meanwhile. Returns the rank that joined
// last.
int join();

// Started now, waited for later. The array must not be touched in between.
using Handle = int64_t;
Handle allreduce_async(const Array& array, const ReduceOptions& options = {});
Handle allreduce_async_(const Array& array, const ReduceOptions& options = {});  // in place
Handle allgather_async(const Array& array, const CollectiveOptions& options = {});
Handle broadcast_async(const Array& array, int root, const CollectiveOptions& options = {});
Handle broadcast_async_(const Array& array, int root, const CollectiveOptions& options = {});
Handle alltoall_async(const Array& array, const std::vector<int64_t>& splits = {},
                      const CollectiveOptions& options = {});
Handle reducescatter_async(const Array& array, const ReduceOptions& options = {});
bool poll(Handle handle);          // whether synchronize would return at once
Array synchronize(Handle handle);  // the result; the handle is used up
AlltoallResult synchronize_alltoall(Handle handle);

// A set of ranks for the options above, called by all ranks of the job with the same ranks. Its number.
int add_process_set(const std::vector<int>& ranks);
void remove_process_set(int process_set);

template <typename T>
Array Array::Of(const std::vector<T>& values, std::vector<int64_t> shape) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || (std::is_integral_v<T> && sizeof(T) <= 8));
  constexpr DataType kType = std::is_same_v<T, float>    ? DataType::kFloat32
                             : std::is_same_v<T, double> ? DataType::kFloat64
                             : sizeof(T) == 1            ? (std::is_signed_v<T> ? DataType::kInt8 : DataType::kUInt8)
                             : sizeof(T) == 2            ? (std::is_signed_v<T> ? DataType::kInt16 : DataType::kUInt16)
                             : sizeof(T) == 4            ? DataType::kInt32
                                                         : DataType::kInt64;
  static_assert(std::is_signed_v<T> || sizeof(T) <= 2, "there are no unsigned types of more than 16 bits");
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no elements: use Array(DataType::kBool, shape)");
  if (shape.empty()) shape = {static_cast<int64_t>(values.size())};
  Array array(kType, std::move(shape));
  if (array.size() != static_cast<int64_t>(values.size()))
    throw Error(ErrorCode::kInvalidArgument,
                "Array::Of: found " + std::to_string(values.size()) +
                    " values, wanted as many as the shape has: " + std::to_string(array.size()));
  if (!values.empty()) std::memcpy(array.raw(), values.data(), array.bytes());
  return array;
}

// ------------------------------------------------------------------------------------------------- with Keras
//
//   model.compile(hvd::DistributedOptimizer(Adam({.learning_rate = 0.001f * hvd::size()})), …);
//   model.fit(train, {.steps_per_epoch = steps / hvd::size(),
//                     .callbacks = {hvd::callbacks::BroadcastGlobalVariablesCallback(0),
//                                   hvd::callbacks::MetricAverageCallback(), …}});
//
// compile(), fit() and train_on_batch() of such a model are calls that all ranks make. fit() and evaluate() print on
// rank 0 alone. Before the first step all ranks compare what they are about to train: variables, options, steps and the
// weights they start from; a difference is an error on all of them that names rank, tensor and both values. An epoch
// ends for all ranks together: one whose data ended earlier goes on with the others, adding nothing. When a rank's
// fit() throws, those of the others throw its message.

struct DistributedOptimizerOptions {
  ReduceOp op = ReduceOp::kAverage;  // or kSum
  Compression compression = Compression::kNone;
  // So many gradients are summed on each rank before they are exchanged and applied; the steps between change nothing
  // but the optimizer's iterations.
  int backward_passes_per_step = 1;
  bool average_aggregated_gradients = false;  // divides those sums by their number
  float gradient_predivide_factor = 1;  // f: gradients times 1 / f are summed, the sums times f / size(). kAverage
};
// The same optimizer, whose models from now on apply the gradients of all ranks. Files that such a model saves load
// without Horovod. Throws kInvalidArgument for another op.
keras::Optimizer DistributedOptimizer(keras::Optimizer optimizer, DistributedOptimizerOptions options = {});

// BatchNormalization with the moments of the batches of all ranks together.
keras::BatchNormalization SyncBatchNormalization(keras::BatchNormalizationOptions options = {});

namespace callbacks {

// Before the first batch all ranks get the weights, the optimizer's slots, iterations and learning rate of one.
keras::CallbackPtr BroadcastGlobalVariablesCallback(int root_rank = 0);

// Behind each epoch, metrics become their averages over the ranks, for the callbacks behind it, the printed line and
// fit()'s history. So put it before those that read metrics.
keras::CallbackPtr MetricAverageCallback();

struct LearningRateScheduleOptions {
  std::optional<float> initial_lr = std::nullopt;  // absent: the optimizer's when training begins
  int start_epoch = 0;
  std::optional<int> end_epoch = std::nullopt;  // exclusive
  bool staircase = true;                        // once an epoch; else every batch, with fractions of epochs
  // While a batch changes the rate, momentum is multiplied by new rate / old rate (P. Goyal et al., "Accurate, Large
  // Minibatch SGD", 2017).
  bool momentum_correction = true;
  int64_t steps_per_epoch = 0;  // 0: fit()'s
};
// rate = initial_lr * multiplier(epoch); a constant c stands for c^(epoch - start_epoch). Adds "lr" to the logs.
keras::CallbackPtr LearningRateScheduleCallback(std::function<double(double epoch)> multiplier,
                                                LearningRateScheduleOptions options = {});
keras::CallbackPtr LearningRateScheduleCallback(double multiplier, LearningRateScheduleOptions options = {});

struct LearningRateWarmupOptions {
  std::optional<float> initial_lr = std::nullopt;  // absent: the optimizer's when training begins
  int warmup_epochs = 5;
  bool momentum_correction = true;
  int64_t steps_per_epoch = 0;  // 0: fit()'s
  int verbose = 0;              // 1: rank 0 says when it is over
};
// Batch by batch from initial_lr / size() to initial_lr, which the last batch of the warmup reaches.
keras::CallbackPtr LearningRateWarmupCallback(LearningRateWarmupOptions options = {});

}  // namespace callbacks

// ----------------------------------------------------------------------------------------------------- elastic
//
// A rank that dies ends all ranks, and the job's RetryStrategy starts all of them again, as torchrun does; they go on
// from the last commit, with the same bits as a run that was not interrupted.
//
//   hvd::elastic::KerasState state(model, "/opt/ml/checkpoints");
//   hvd::elastic::run([&](hvd::elastic::KerasState& state) {
//     model.fit(train, {.epochs = 10, .initial_epoch = state.epoch(), .initial_step = state.batch(),
//                       .steps_per_epoch = 78, .callbacks = {…, hvd::elastic::CommitStateCallback(state, 20)}});
//   }, state);

namespace elastic {

// A compiled model, its optimizer, the callbacks of its fit(), and where the training is.
class KerasState {
 public:
  // Rank 0 keeps the commits in `directory` (a job's checkpoint directory, which outlives attempts), as Keras files
  // elastic-EPOCH-BATCH.h5; it is made when it is not there. Nothing is read before restore().
  KerasState(keras::Model model, std::string directory);

  int epoch() const;      // of the next batch
  int64_t batch() const;  // the next one, in its epoch

  // The training is at `batch` of `epoch`. Rank 0 writes it down, the others do nothing; an earlier commit is deleted
  // once this one is whole. Throws Error when the file cannot be written.
  void commit(int epoch, int64_t batch);
  // All ranks together: the model of rank 0's last commit, on all of them. False when there is none. Throws Error when
  // the file cannot be read or is another model's.
  bool restore();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Restores the last commit and calls `train`.
void run(const std::function<void(KerasState&)>& train, KerasState& state);

// Commits behind every so many batches and at the end of each epoch, behind all other callbacks. The state is the
// model's own and outlives the training.
keras::CallbackPtr CommitStateCallback(KerasState& state, int64_t batches_per_commit = 100);

}  // namespace elastic

}  // namespace headrace::hvd
