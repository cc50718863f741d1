#include "pipe_filesystem/c_interface.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "pipe_filesystem/pipe_path.h"
#include "pipe_filesystem/record_chunk.h"

#define HEADRACE_EXPORT __attribute__((visibility("default")))

using headrace::Error;
using headrace::Result;
using headrace::data::RecordStream;
using headrace::pipe_filesystem::ReaderOf;
using headrace::pipe_filesystem::RecordChunk;

struct headrace_pipe {
  std::unique_ptr<RecordStream> records;
  std::optional<Error> error;  // behind the records that have been handed out
  std::string tensor;
};

namespace {

const char* Keep(const Error& error) {
  static thread_local std::string text;
  text = error.message();
  return text.c_str();
}

Result<std::unique_ptr<RecordStream>> OpenNextEpoch(const char* options) {
  HEADRACE_ASSIGN(const auto channel, ReaderOf(options));
  return channel.OpenNextEpoch(nullptr);
}

}  // namespace

extern "C" {

HEADRACE_EXPORT const char* headrace_pipe_check(const char* options) {
  const auto channel = ReaderOf(options);
  return channel ? nullptr : Keep(channel.error());
}

HEADRACE_EXPORT headrace_pipe* headrace_pipe_open(const char* options, const char** error) {
  auto records = OpenNextEpoch(options);
  if (records) return std::make_unique<headrace_pipe>(headrace_pipe{std::move(*records), {}, ""}).release();
  *error = Keep(records.error());
  return nullptr;
}

HEADRACE_EXPORT int64_t headrace_pipe_read(headrace_pipe* pipe, const char** tensor, const char** error) {
  const auto chunk = RecordChunk::Next(*pipe->records, pipe->error);
  if (!chunk) {
    *error = pipe->error->what();
    return -1;
  }
  if (!*chunk) return 0;
  pipe->tensor.resize((*chunk)->size());
  (*chunk)->Read(0, pipe->tensor.data(), pipe->tensor.size());
  *tensor = pipe->tensor.data();
  return static_cast<int64_t>(pipe->tensor.size());
}

HEADRACE_EXPORT void headrace_pipe_close(headrace_pipe* pipe) { std::unique_ptr<headrace_pipe>{pipe}; }

}  // extern "C"
