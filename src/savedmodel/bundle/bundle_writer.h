// TensorBundle, TensorFlow's format for named tensors: `prefix`.index and `prefix`.data-00000-of-00001.
// docs/formats/tensorbundle.md says what the bytes are.
#pragma once

#include <string>

#include "headrace/tensor.h"

#include "base/file.h"
#include "base/result.h"
#include "savedmodel/bundle/table.h"

namespace headrace::savedmodel {

class BundleWriter {
 public:
  static Result<BundleWriter> Create(const std::string& prefix);

  // Tensors lie in the data file in the order of these calls. Names must differ and not be empty.
  Status Add(const std::string& name, const Tensor& tensor);
  // Both files get their names. Without it neither appears.
  Status Finish();

 private:
  BundleWriter(std::string prefix, AtomicFile data) : prefix_(std::move(prefix)), data_(std::move(data)) {}

  std::string prefix_;
  AtomicFile data_;
  uint64_t offset_ = 0;
  TableEntries entries_;
};

}  // namespace headrace::savedmodel
