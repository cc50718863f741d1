// A SavedModel that names images, as evaluate and predict use it.
#pragma once

#include <string>
#include <vector>

#include "headrace/savedmodel.h"
#include "headrace/tensor.h"

namespace headrace::apps {

// One name a line of `file`; "" takes CIFAR-10's.
std::vector<std::string> ReadClasses(const std::string& file);

class Classifier {
 public:
  // `directory`: a version or the parent of versions. `classes_file`: as ReadClasses. Throws when
  // the model does not map images of three channels to one score for each class.
  Classifier(const std::string& directory, const std::string& classes_file);

  // images: uint8 [n, h, w, 3] of the model's size. float32 [n, classes].
  Tensor Scores(const Tensor& images, int64_t batch_size) {
    return loaded_.model.predict(images, {.batch_size = batch_size});
  }

  const std::vector<std::string>& classes() const { return classes_; }
  const std::string& directory() const { return loaded_.directory; }  // of the version
  int64_t height() const { return loaded_.model.input_shape()[1]; }
  int64_t width() const { return loaded_.model.input_shape()[2]; }

 private:
  savedmodel::LoadedModel loaded_;
  std::vector<std::string> classes_;
};

// The index of the largest of `count` numbers; the first of equal ones.
int64_t LargestIndex(const float* values, int64_t count);

}  // namespace headrace::apps
