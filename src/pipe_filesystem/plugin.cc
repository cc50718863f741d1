// What TensorFlow calls: tf.experimental.register_filesystem_plugin loads this library and asks TF_InitPlugin for a
// table of functions.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <dlfcn.h>

#include "pipe_filesystem/framed_records.h"
#include "pipe_filesystem/pipe_path.h"
#include "pipe_filesystem/tensorflow_interface.h"

namespace headrace::pipe_filesystem {
namespace {

using SetStatusFunction = decltype(&TF_SetStatus);

// TensorFlow is not linked with, and its symbols are not global in a Python process: its TF_SetStatus is looked up in
// the library that is already loaded. Null where there is none.
SetStatusFunction FindSetStatus() {
  if (TF_SetStatus != nullptr) return TF_SetStatus;
  for (const char* library : {"libtensorflow_framework.so.2", "libtensorflow_cc.so.2", "libtensorflow.so.2"}) {
    void* handle = ::dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    void* found = handle != nullptr ? ::dlsym(handle, "TF_SetStatus") : nullptr;
    if (found != nullptr) return reinterpret_cast<SetStatusFunction>(found);
  }
  return nullptr;
}

void SetStatus(TF_Status* status, TF_Code code, const char* message) {
  static const SetStatusFunction set_status = FindSetStatus();  // found before there was a table to call us by
  set_status(status, code, message);
}

TF_Code CodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return TF_INVALID_ARGUMENT;
    case ErrorCode::kAlreadyExists:
      return TF_ALREADY_EXISTS;
    case ErrorCode::kNotFound:
      return TF_NOT_FOUND;
    case ErrorCode::kDataLoss:
      return TF_DATA_LOSS;
    case ErrorCode::kResourceExhausted:
      return TF_RESOURCE_EXHAUSTED;
    case ErrorCode::kFailedPrecondition:
      return TF_FAILED_PRECONDITION;
    case ErrorCode::kUnavailable:
      return TF_UNAVAILABLE;
    case ErrorCode::kInternal:
      return TF_INTERNAL;
  }
  return TF_INTERNAL;
}

void SetError(TF_Status* status, const Error& error) { SetStatus(status, CodeOf(error.code()), error.what()); }

Result<std::unique_ptr<FramedRecords>> OpenNextEpoch(const char* path) {
  HEADRACE_ASSIGN(const data::ChannelReader channel, ReaderOf(path));
  HEADRACE_ASSIGN(auto records, channel.OpenNextEpoch(nullptr));
  return std::make_unique<FramedRecords>(std::move(records));
}

void OpenFile(const TF_Filesystem*, const char* path, TF_RandomAccessFile* file, TF_Status* status) {
  auto records = OpenNextEpoch(path);
  if (!records) return SetError(status, records.error());
  file->plugin_file = records->release();
  SetStatus(status, TF_OK, "");
}

int64_t ReadFile(const TF_RandomAccessFile* file, uint64_t offset, size_t n, char* buffer, TF_Status* status) {
  const auto read = static_cast<FramedRecords*>(file->plugin_file)->Read(offset, buffer, n);
  if (!read) {
    SetError(status, read.error());
    return -1;
  }
  if (*read < n)
    SetStatus(status, TF_OUT_OF_RANGE, "the end of the epoch");
  else
    SetStatus(status, TF_OK, "");
  return static_cast<int64_t>(*read);
}

void CloseFile(TF_RandomAccessFile* file) { delete static_cast<FramedRecords*>(file->plugin_file); }

char* CopyOf(const char* text) { return ::strdup(text); }

// Every function of it that is not set here stays null.
template <typename Table>
Table* NewTable() {
  return static_cast<Table*>(std::calloc(1, sizeof(Table)));
}

void FillIn(TF_FilesystemPluginOps& plugin) {
  plugin.scheme = CopyOf(std::string(kScheme).c_str());
  plugin.filesystem_ops_size = sizeof(TF_FilesystemOps);
  plugin.filesystem_ops = NewTable<TF_FilesystemOps>();
  plugin.filesystem_ops->init = [](TF_Filesystem*, TF_Status* status) { SetStatus(status, TF_OK, ""); };
  plugin.filesystem_ops->cleanup = [](TF_Filesystem*) {};
  plugin.filesystem_ops->new_random_access_file = OpenFile;
  // TensorFlow would make a path of it otherwise, and it is none.
  plugin.filesystem_ops->translate_name = [](const TF_Filesystem*, const char* uri) { return CopyOf(uri); };
  plugin.random_access_file_ops_size = sizeof(TF_RandomAccessFileOps);
  plugin.random_access_file_ops = NewTable<TF_RandomAccessFileOps>();
  plugin.random_access_file_ops->cleanup = CloseFile;
  plugin.random_access_file_ops->read = ReadFile;
}

}  // namespace
}  // namespace headrace::pipe_filesystem

// All memory in `info` is freed by TensorFlow, through the function named there.
extern "C" __attribute__((visibility("default"))) void TF_InitPlugin(TF_FilesystemPluginInfo* info) {
  using namespace headrace::pipe_filesystem;
  info->plugin_memory_allocate = std::malloc;
  info->plugin_memory_free = std::free;
  if (FindSetStatus() == nullptr) return;  // then there is no filesystem, and TensorFlow says so when one is asked for
  info->num_schemes = 1;
  info->ops = NewTable<TF_FilesystemPluginOps>();
  FillIn(info->ops[0]);
}
