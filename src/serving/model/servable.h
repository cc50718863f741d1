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
  // Computes signature `index` on compute thread `worker`; a worker runs one call at a time, several workers run side
  // by side. inputs as PredictInputs::tensors; outputs of the signature's types, in its order.
  virtual Result<std::vector<Tensor>> Run(size_t index, const std::vector<Tensor>& inputs, size_t worker) = 0;

  // "" means "serving_default", or the only signature there is. kInvalidArgument when there is none.
  Result<size_t> FindSignature(const std::string& name) const;
};

class TensorFlowLibrary;

struct LoadServableOptions {
  size_t workers = 1;
  bool bfloat16 = false;                    // activations in bfloat16
  TensorFlowLibrary* tensorflow = nullptr;  // for models that our engine cannot run; or none
  int threads = 1;                          // of one run in TensorFlow
};

// Loads a SavedModel's version directory.
Result<std::shared_ptr<Servable>> LoadServable(const std::string& directory, const LoadServableOptions& options);

}  // namespace headrace::serving
