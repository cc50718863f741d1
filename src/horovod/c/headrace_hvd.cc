#include "horovod/c/headrace_hvd.h"

#include <exception>

#include "horovod/world.h"

using headrace::Error;
using headrace::ErrorCode;
namespace hvd = headrace::hvd;

struct headrace_hvd_outcome {
  hvd::Outcome outcome;
};

namespace {

thread_local std::string last_error;

int Told(ErrorCode code, std::string text) {
  last_error = std::move(text);
  return 1 + static_cast<int>(code);
}

// No exception leaves for a language that does not know them.
template <typename Body>
int Call(const Body& body) noexcept {
  try {
    body();
    return 0;
  } catch (const Error& error) {
    return Told(error.code(), error.message());
  } catch (const std::exception& error) {
    return Told(ErrorCode::kInternal, error.what());
  }
}

template <typename Enumeration>
Enumeration Checked(int32_t number, Enumeration last, const char* what) {
  if (number < 0 || number > static_cast<int32_t>(last))
    throw headrace::MakeError(ErrorCode::kInvalidArgument, "{}: found number {}, wanted 0 to {}", what, number,
                              static_cast<int>(last));
  return static_cast<Enumeration>(number);
}

hvd::Collective FromC(const headrace_hvd_collective_t& given) {
  hvd::Collective collective;
  collective.type = Checked(given.type, hvd::CollectiveType::kReducescatter, "type of a collective");
  collective.name = given.name;
  collective.dtype = Checked(given.dtype, hvd::DataType::kBFloat16, "dtype");
  if (given.dimensions > 0) collective.shape.assign(given.shape, given.shape + given.dimensions);
  collective.input = given.input;
  collective.output = given.output;
  collective.op = Checked(given.op, hvd::ReduceOp::kProduct, "op");
  collective.prescale = given.prescale;
  collective.postscale = given.postscale;
  collective.compression = Checked(given.compression, hvd::Compression::kBFloat16, "compression");
  collective.root = given.root;
  if (given.split_count > 0) collective.splits.assign(given.splits, given.splits + given.split_count);
  collective.process_set = given.process_set;
  if (given.group != nullptr) collective.group = given.group;
  collective.group_size = given.group_size;
  return collective;
}

int32_t Numbers(const std::vector<int64_t>& numbers, const int64_t** out) {
  *out = numbers.data();
  return static_cast<int32_t>(numbers.size());
}

}  // namespace

const char* headrace_hvd_error() { return last_error.c_str(); }

int headrace_hvd_init() {
  return Call([] { hvd::init(); });
}
int headrace_hvd_is_initialized() { return hvd::is_initialized() ? 1 : 0; }
int headrace_hvd_shutdown() {
  return Call([] { hvd::shutdown(); });
}

int headrace_hvd_abort(const char* reason) {
  return Call([&] {
    if (hvd::size() > 1) hvd::World().Abort(reason);
  });
}

int headrace_hvd_place(headrace_hvd_place_t* place) {
  return Call([&] {
    const hvd::Place& found = hvd::World().place();
    *place = {found.rank,       found.size,       found.local_rank,         found.local_size,
              found.cross_rank, found.cross_size, found.homogeneous ? 1 : 0};
  });
}

int headrace_hvd_add_process_set(const int32_t* ranks, int32_t count, int32_t* number) {
  return Call([&] { *number = hvd::add_process_set(std::vector<int>(ranks, ranks + count)); });
}
int headrace_hvd_remove_process_set(int32_t number) {
  return Call([&] { hvd::remove_process_set(number); });
}

int headrace_hvd_start_timeline(const char* path, int mark_cycles) {
  return Call([&] { hvd::start_timeline(path, mark_cycles != 0); });
}
int headrace_hvd_stop_timeline() {
  return Call([] { hvd::stop_timeline(); });
}

int headrace_hvd_start(const headrace_hvd_collective_t* collectives, int32_t count, int64_t* handles,
                       int32_t* started) {
  *started = 0;
  return Call([&] {
    for (; *started < count; ++*started)
      handles[*started] = headrace::ValueOrThrow(hvd::World().Enqueue(FromC(collectives[*started])));
  });
}

int headrace_hvd_poll(int64_t handle) {
  int done = 1;  // without a group, waiting is an error at once
  Call([&] { done = hvd::World().Poll(handle) ? 1 : 0; });
  return done;
}

int headrace_hvd_wait(int64_t handle, headrace_hvd_outcome_t** outcome) {
  return Call([&] {
    auto made = headrace::ValueOrThrow(hvd::World().Synchronize(handle));
    if (outcome != nullptr) *outcome = new headrace_hvd_outcome{std::move(made)};
  });
}

const void* headrace_hvd_outcome_data(const headrace_hvd_outcome_t* outcome) { return outcome->outcome.output.data(); }
int32_t headrace_hvd_outcome_shape(const headrace_hvd_outcome_t* outcome, const int64_t** shape) {
  return Numbers(outcome->outcome.shape, shape);
}
int32_t headrace_hvd_outcome_splits(const headrace_hvd_outcome_t* outcome, const int64_t** splits) {
  return Numbers(outcome->outcome.received_splits, splits);
}
int32_t headrace_hvd_outcome_last_joined(const headrace_hvd_outcome_t* outcome) { return outcome->outcome.last_joined; }
void headrace_hvd_free(headrace_hvd_outcome_t* outcome) { delete outcome; }
