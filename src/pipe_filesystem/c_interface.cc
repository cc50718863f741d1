#include "pipe_filesystem/c_interface.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipe_filesystem/pipe_path.h"

#define HEADRACE_EXPORT __attribute__((visibility("default")))

using headrace::Error;
using headrace::Result;
using headrace::data::RecordStream;
using headrace::pipe_filesystem::ReaderOf;

struct headrace_pipe {
  std::unique_ptr<RecordStream> records;
  std::string bytes;
  std::vector<uint64_t> ends;
  std::optional<Error> error;  // behind the records that have been handed out
};

namespace {

// Enough for each call to be worth its way through Python.
constexpr size_t kEnoughBytes = size_t{1} << 20;

const char* Keep(const Error& error) {
  static thread_local std::string text;
  text = error.message();
  return text.c_str();
}

Result<std::unique_ptr<RecordStream>> OpenNextEpoch(const char* options) {
  HEADRACE_ASSIGN(const auto channel, ReaderOf(options));
  return channel.OpenNextEpoch(nullptr);
}

// Waits for the first record only.
void ReadSome(headrace_pipe& pipe, size_t count) {
  pipe.bytes.clear();
  pipe.ends.clear();
  while (!pipe.error && pipe.ends.size() < count && pipe.bytes.size() < kEnoughBytes) {
    const auto record = pipe.records->Next();
    if (!record) pipe.error = record.error();
    if (!record || !*record) return;
    pipe.bytes.append(**record);
    pipe.ends.push_back(pipe.bytes.size());
    if (!pipe.records->HasMore()) return;
  }
}

}  // namespace

extern "C" {

HEADRACE_EXPORT const char* headrace_pipe_check(const char* options) {
  const auto channel = ReaderOf(options);
  return channel ? nullptr : Keep(channel.error());
}

HEADRACE_EXPORT headrace_pipe* headrace_pipe_open(const char* options, const char** error) {
  auto records = OpenNextEpoch(options);
  if (records) return std::make_unique<headrace_pipe>(headrace_pipe{std::move(*records), "", {}, {}}).release();
  *error = Keep(records.error());
  return nullptr;
}

HEADRACE_EXPORT int64_t headrace_pipe_read(headrace_pipe* pipe, int64_t count, const char** bytes,
                                           const uint64_t** ends, const char** error) {
  ReadSome(*pipe, static_cast<size_t>(count));
  *bytes = pipe->bytes.data();
  *ends = pipe->ends.data();
  if (!pipe->ends.empty() || !pipe->error) return static_cast<int64_t>(pipe->ends.size());
  *error = pipe->error->what();
  return -1;
}

HEADRACE_EXPORT void headrace_pipe_close(headrace_pipe* pipe) { std::unique_ptr<headrace_pipe>{pipe}; }

}  // extern "C"
