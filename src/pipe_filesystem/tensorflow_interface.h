// The part of TensorFlow's filesystem plugin interface that a filesystem for reading fills in, so that building needs
// no TensorFlow (tensorflow/c/experimental/filesystem/filesystem_interface.h and tensorflow/c/tf_status.h, where the
// contract of each function stands). TensorFlow keeps it binary compatible: tables only grow at their end, and a plugin
// says how long its own are.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct TF_Status;

enum TF_Code : int {
  TF_OK = 0,
  TF_INVALID_ARGUMENT = 3,
  TF_NOT_FOUND = 5,
  TF_ALREADY_EXISTS = 6,
  TF_RESOURCE_EXHAUSTED = 8,
  TF_FAILED_PRECONDITION = 9,
  TF_OUT_OF_RANGE = 11,
  TF_UNIMPLEMENTED = 12,
  TF_INTERNAL = 13,
  TF_UNAVAILABLE = 14,
  TF_DATA_LOSS = 15,
};

// TensorFlow's; weak, for it may have to be looked for.
__attribute__((weak)) void TF_SetStatus(TF_Status* status, TF_Code code, const char* message);

struct TF_RandomAccessFile {
  void* plugin_file;
};
struct TF_Filesystem {
  void* plugin_filesystem;
};

struct TF_RandomAccessFileOps {
  void (*cleanup)(TF_RandomAccessFile* file);
  int64_t (*read)(const TF_RandomAccessFile* file, uint64_t offset, size_t n, char* buffer, TF_Status* status);
};

// Up to the last function that this filesystem has.
struct TF_FilesystemOps {
  void (*init)(TF_Filesystem* filesystem, TF_Status* status);
  void (*cleanup)(TF_Filesystem* filesystem);
  void (*new_random_access_file)(const TF_Filesystem* filesystem, const char* path, TF_RandomAccessFile* file,
                                 TF_Status* status);
  // new_writable_file, new_appendable_file, new_read_only_memory_region_from_file, create_dir, recursively_create_dir,
  // delete_file, delete_dir, delete_recursively, rename_file, copy_file, path_exists, paths_exist, stat, is_directory:
  // null means that there is no such function.
  void (*not_there[14])();
  int64_t (*get_file_size)(const TF_Filesystem* filesystem, const char* path, TF_Status* status);
  char* (*translate_name)(const TF_Filesystem* filesystem, const char* uri);
};

struct TF_FilesystemPluginOps {
  char* scheme;
  int filesystem_ops_abi;
  int filesystem_ops_api;
  size_t filesystem_ops_size;
  TF_FilesystemOps* filesystem_ops;
  int random_access_file_ops_abi;
  int random_access_file_ops_api;
  size_t random_access_file_ops_size;
  TF_RandomAccessFileOps* random_access_file_ops;
  int writable_file_ops_abi;
  int writable_file_ops_api;
  size_t writable_file_ops_size;
  void* writable_file_ops;
  int read_only_memory_region_ops_abi;
  int read_only_memory_region_ops_api;
  size_t read_only_memory_region_ops_size;
  void* read_only_memory_region_ops;
};

struct TF_FilesystemPluginInfo {
  size_t num_schemes;
  TF_FilesystemPluginOps* ops;
  void* (*plugin_memory_allocate)(size_t size);
  void (*plugin_memory_free)(void* memory);
};

}  // extern "C"
