// TensorFlow's own library, when it is installed: opened at run time, at the first model that needs it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "serving/model/servable.h"

namespace headrace::serving {

namespace capi {
struct Functions;
}

class TensorFlowLibrary {
 public:
  // A path; "auto": libtensorflow.so.2 or libtensorflow_cc.so.2, where the loader finds it; "none".
  explicit TensorFlowLibrary(std::string path = "auto") : path_(std::move(path)) {}

  // Opens it once and keeps it. kNotFound when there is none.
  Result<const capi::Functions*> Open();

 private:
  const std::string path_;
  std::mutex mutex_;
  std::optional<Result<const capi::Functions*>> opened_;
  std::shared_ptr<capi::Functions> functions_;
};

// Loads a SavedModel's version directory for TensorFlow to run.
Result<std::shared_ptr<Servable>> LoadTensorFlowServable(TensorFlowLibrary& library, const std::string& directory,
                                                         int threads);

}  // namespace headrace::serving
