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

  // Datasets. Write: float32 or int64. Read: any number type, converted; look at ShapeOf() first, as a damaged file may
  // claim any size.
  void Write(const std::string& name, const Tensor& value);
  Shape ShapeOf(const std::string& name) const;
  Tensor ReadFloats(const std::string& name) const;
  int64_t ReadInteger(const std::string& name) const;  // a scalar

  std::string path() const;  // "model.h5: /model_weights", for messages

 private:
  friend class File;
  Group(Handle handle, std::string file) : handle_(std::move(handle)), file_(std::move(file)) {}
  bool HasAttribute(const std::string& name) const;
  std::vector<std::string> ReadTexts(const std::string& name) const;
  Handle OpenDataset(const std::string& name) const;

  Handle handle_;
  std::string file_;
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
  File(Handle handle, std::string name) : handle_(std::move(handle)), name_(std::move(name)) {}
  Handle handle_;
  std::string name_;
};

}  // namespace headrace::keras::internal::hdf5
