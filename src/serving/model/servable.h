// Servable: one loaded version of a model, ready to compute.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/signature.h"

namespace tensorflow::serving {
class SignatureDefMap;
}

namespace headrace::serving {

class Servable {
 public:
  virtual ~Servable() = default;
  virtual const std::vector<Signature>& signatures() const = 0;
  // The same for metadata, as the SavedModel has them: with the names that tensors have in its graph.
  virtual const ::tensorflow::serving::SignatureDefMap& definitions() const = 0;
  // Computes signature `index` as runner `runner`; a runner does one call at a time, several run side by side. inputs
  // as PredictInputs::tensors (strings are decoded); outputs of the signature's types, in its order.
  virtual Result<std::vector<Tensor>> Run(size_t index, const std::vector<Tensor>& inputs, size_t runner) = 0;

  // Rows of the largest batch of a signature that one thread computes in less time than a team of them is worth; 0:
  // none.
  int64_t small_rows(size_t index) const { return index < small_rows_.size() ? small_rows_[index] : 0; }
  void set_small_rows(std::vector<int64_t> rows) { small_rows_ = std::move(rows); }  // before it serves

  // "" means "serving_default", or the only signature there is. kInvalidArgument when there is none.
  Result<size_t> FindSignature(const std::string& name) const;

 private:
  std::vector<int64_t> small_rows_;
};

class TensorFlowLibrary;

struct LoadServableOptions {
  size_t runners = 1;
  bool bfloat16 = false;                    // activations in bfloat16
  TensorFlowLibrary* tensorflow = nullptr;  // for models that our engine cannot run; or none
  int threads = 1;                          // of one run in TensorFlow
};

// Loads a SavedModel's version directory.
Result<std::shared_ptr<Servable>> LoadServable(const std::string& directory, const LoadServableOptions& options);

}  // namespace headrace::serving
