// What TensorFlow calls: tf.experimental.register_filesystem_plugin loads this library and asks TF_InitPlugin for a
// table of functions.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <dlfcn.h>

#include "pipe_filesystem/chunk_tickets.h"
#include "pipe_filesystem/pipe_path.h"
#include "pipe_filesystem/tensorflow_interface.h"
#include "pipe_filesystem/ticket_file.h"

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

// The two kinds of files.
class File {
 public:
  virtual ~File() = default;
  virtual Result<size_t> Read(uint64_t offset, char* out, size_t size) = 0;
};
class EpochFile : public File {
 public:
  explicit EpochFile(std::unique_ptr<data::RecordStream> tickets) : tickets_(std::move(tickets)) {}
  Result<size_t> Read(uint64_t offset, char* out, size_t size) override { return tickets_.Read(offset, out, size); }

 private:
  TicketFile tickets_;
};
class ChunkFile : public File {
 public:
  explicit ChunkFile(RecordChunk chunk) : chunk_(std::move(chunk)) {}
  Result<size_t> Read(uint64_t offset, char* out, size_t size) override { return chunk_.Read(offset, out, size); }

 private:
  RecordChunk chunk_;
};

using Chunks = std::shared_ptr<ChunkTable>;
const Chunks& ChunksOf(const TF_Filesystem* filesystem) { return *static_cast<Chunks*>(filesystem->plugin_filesystem); }

Result<std::unique_ptr<File>> Open(const Chunks& chunks, const char* path) {
  if (const auto ticket = TicketNumber(path)) {
    HEADRACE_ASSIGN(RecordChunk chunk, chunks->Take(*ticket));
    return std::make_unique<ChunkFile>(std::move(chunk));
  }
  HEADRACE_ASSIGN(const data::ChannelReader channel, ReaderOf(path));
  HEADRACE_ASSIGN(auto records, channel.OpenNextEpoch(nullptr));
  return std::make_unique<EpochFile>(TicketsOf(std::move(records), chunks));
}

void OpenFile(const TF_Filesystem* filesystem, const char* path, TF_RandomAccessFile* file, TF_Status* status) {
  auto opened = Open(ChunksOf(filesystem), path);
  if (!opened) return SetError(status, opened.error());
  file->plugin_file = opened->release();
  SetStatus(status, TF_OK, "");
}

int64_t SizeOfFile(const TF_Filesystem* filesystem, const char* path, TF_Status* status) {
  const auto ticket = TicketNumber(path);
  if (!ticket) {
    SetStatus(status, TF_UNIMPLEMENTED, "nobody knows the size of an epoch before its end");
    return -1;
  }
  const auto size = ChunksOf(filesystem)->SizeOf(*ticket);
  if (!size) {
    SetError(status, size.error());
    return -1;
  }
  SetStatus(status, TF_OK, "");
  return static_cast<int64_t>(*size);
}

int64_t ReadFile(const TF_RandomAccessFile* file, uint64_t offset, size_t n, char* buffer, TF_Status* status) {
  const auto read = static_cast<File*>(file->plugin_file)->Read(offset, buffer, n);
  if (!read) {
    SetError(status, read.error());
    return -1;
  }
  if (*read < n)
    SetStatus(status, TF_OUT_OF_RANGE, "the end of the file");
  else
    SetStatus(status, TF_OK, "");
  return static_cast<int64_t>(*read);
}

void CloseFile(TF_RandomAccessFile* file) { delete static_cast<File*>(file->plugin_file); }

void Start(TF_Filesystem* filesystem, TF_Status* status) {
  filesystem->plugin_filesystem = new Chunks(std::make_shared<ChunkTable>());
  SetStatus(status, TF_OK, "");
}

void End(TF_Filesystem* filesystem) { delete static_cast<Chunks*>(filesystem->plugin_filesystem); }

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
  plugin.filesystem_ops->init = Start;
  plugin.filesystem_ops->cleanup = End;
  plugin.filesystem_ops->new_random_access_file = OpenFile;
  plugin.filesystem_ops->get_file_size = SizeOfFile;
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
