// The HDF5 library behind a small face: files, groups, text attributes and float datasets as Keras uses them. Only
// this folder sees HDF5's own headers. All functions throw Error: kNotFound for a file that is not there, kDataLoss for
// one that does not hold what it should; messages start with the file's name.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headrace/tensor.h"

#include "keras/hdf5/stored.h"

namespace headrace::keras::internal::hdf5 {

// An open object of the library, closed when dropped.
class Handle {
 public:
  using Close = int (*)(int64_t);
  Handle() = default;
  Handle(int64_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept;
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();
  int64_t id() const { return id_; }

 private:
  int64_t id_ = -1;
  Close close_ = nullptr;
};

// A group of an open file, also its root. Names of children are paths: "conv2d/kernel:0"; groups on the way are made.
// A soft or external link on the way to what is opened is refused.
class Group {
 public:
  Group CreateGroup(const std::string& name);
  Group OpenGroup(const std::string& name) const;
  bool HasGroup(const std::string& name) const;

  // Attributes. Texts() also reads lists that Keras split into name0, name1, …; SetTexts() splits them like that above
  // the 64,512 bytes that fit into an object header.
  void SetText(const std::string& name, const std::string& text);
  void SetTexts(const std::string& name, const std::vector<std::string>& texts);
  std::optional<std::string> Text(const std::string& name) const;
  std::optional<std::vector<std::string>> Texts(const std::string& name) const;

  // Datasets. Write: float32 or int64. Read: any number type, converted, and only what lies in this file and is no
  // larger than what is stored of it (stored.h).
  void Write(const std::string& name, const Tensor& value);
  StoredDataset StoredAs(const std::string& name) const;
  Shape ShapeOf(const std::string& name) const { return StoredAs(name).shape; }
  Tensor ReadFloats(const std::string& name) const;
  int64_t ReadInteger(const std::string& name) const;  // a scalar

  std::string path() const;  // "model.h5: /model_weights", for messages
  uint64_t file_bytes() const { return file_bytes_; }

 private:
  friend class File;
  Group(Handle handle, std::string file, uint64_t file_bytes)
      : handle_(std::move(handle)), file_(std::move(file)), file_bytes_(file_bytes) {}
  bool HasAttribute(const std::string& name) const;
  std::vector<std::string> ReadTexts(const std::string& name) const;
  Handle OpenDataset(const std::string& name) const;
  std::string Shown(const std::string& dataset) const;

  Handle handle_;
  std::string file_;
  uint64_t file_bytes_ = 0;
};

class File {
 public:
  // `shown`: the name for messages, when `path` is a temporary one.
  static File Create(const std::string& path, const std::string& shown);
  static File Open(const std::string& path);
  Group Root() const;
  // Writes everything out. Only after this is the file complete.
  void Flush();

 private:
  File(Handle handle, std::string name, uint64_t bytes)
      : handle_(std::move(handle)), name_(std::move(name)), bytes_(bytes) {}
  Handle handle_;
  std::string name_;
  uint64_t bytes_ = 0;
};

}  // namespace headrace::keras::internal::hdf5
