// Elements in a file: what cache(filename) and save() write and load() reads. docs/formats/elements.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headrace/data.h"

#include "base/result.h"
#include "data/record_stream.h"

namespace headrace::data {

// The file has its name once Close() has returned; dropped before, nothing is left.
class ElementsWriter {
 public:
  explicit ElementsWriter(const std::string& path);
  void Write(const Element& element);
  void Close();

 private:
  TFRecordWriter records_;
  std::string buffer_;
  uint64_t count_ = 0;
};

// How many elements a file says that it has. kNotFound, or kDataLoss for one that is not whole.
Result<int64_t> CountElements(const std::string& path);

class ElementsReader {
 public:
  static Result<ElementsReader> Open(const std::string& path, StopFlag stop);
  // nullopt at the end.
  Result<std::optional<Element>> Next();
  Result<int64_t> Skip(int64_t count);

 private:
  ElementsReader(std::string path, std::unique_ptr<RecordStream> records, int64_t count)
      : path_(std::move(path)), records_(std::move(records)), left_(count) {}

  std::string path_;
  std::unique_ptr<RecordStream> records_;
  int64_t left_;
};

// One element as bytes, and back: kDataLoss for bytes that are none. `name` is for messages.
void AppendElement(const Element& element, std::string& bytes);
Result<Element> ParseElement(std::string_view bytes, const std::string& name);

}  // namespace headrace::data
