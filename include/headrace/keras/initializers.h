// headrace/keras/initializers.h: what weights are before training. Names, defaults and formulas are Keras 3's; the
// numbers are not TensorFlow's (docs/numerics.md). seed: -1 takes the model's and the weight's place in it; a number
// makes all weights of a shape alike, in every model.
//
// Included by headrace/keras.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "headrace/tensor.h"

namespace headrace::keras {

namespace internal {  // src/keras; promises nothing
struct InitializerState;
}

class Initializer {
 public:
  // "glorot_uniform", "zeros", …: the classes below in lower case, with their defaults. A layer says when it is none.
  Initializer(const char* name) : name_(name) {}
  Initializer(std::string name) : name_(std::move(name)) {}
  // One of your own: fills a float32 tensor of the weight's shape. A model's file does not keep it.
  explicit Initializer(std::function<void(Tensor& weight)> fill);

  const std::string& name() const { return name_; }                                          // where it is known by one
  const std::shared_ptr<const internal::InitializerState>& state() const { return state_; }  // else this

 protected:
  explicit Initializer(std::shared_ptr<const internal::InitializerState> state) : state_(std::move(state)) {}

 private:
  std::string name_;
  std::shared_ptr<const internal::InitializerState> state_;
};

class Zeros : public Initializer {
 public:
  Zeros();
};
class Ones : public Initializer {
 public:
  Ones();
};
class Constant : public Initializer {
 public:
  explicit Constant(double value = 0);
};
struct RandomNormalOptions {
  double mean = 0, stddev = 0.05;
  int64_t seed = -1;
};
class RandomNormal : public Initializer {
 public:
  explicit RandomNormal(RandomNormalOptions options = {});
};
class TruncatedNormal : public Initializer {  // drawn again beyond two standard deviations
 public:
  explicit TruncatedNormal(RandomNormalOptions options = {});
};
struct RandomUniformOptions {
  double minval = -0.05, maxval = 0.05;
  int64_t seed = -1;
};
class RandomUniform : public Initializer {
 public:
  explicit RandomUniform(RandomUniformOptions options = {});
};
struct VarianceScalingOptions {
  double scale = 1;
  std::string mode = "fan_in";                    // "fan_out", "fan_avg"
  std::string distribution = "truncated_normal";  // "untruncated_normal", "uniform"
  int64_t seed = -1;
};
class VarianceScaling : public Initializer {  // of variance scale / fan
 public:
  explicit VarianceScaling(VarianceScalingOptions options = {});
};
struct SeedOptions {
  int64_t seed = -1;
};
class GlorotUniform : public Initializer {
 public:
  explicit GlorotUniform(SeedOptions options = {});
};
class GlorotNormal : public Initializer {
 public:
  explicit GlorotNormal(SeedOptions options = {});
};
class HeUniform : public Initializer {
 public:
  explicit HeUniform(SeedOptions options = {});
};
class HeNormal : public Initializer {
 public:
  explicit HeNormal(SeedOptions options = {});
};
class LecunUniform : public Initializer {
 public:
  explicit LecunUniform(SeedOptions options = {});
};
class LecunNormal : public Initializer {
 public:
  explicit LecunNormal(SeedOptions options = {});
};
struct OrthogonalOptions {
  double gain = 1;
  int64_t seed = -1;
};
// As a matrix [all axes but the last, the last], its rows or its columns, whichever are fewer, are orthogonal and of
// length `gain`.
class Orthogonal : public Initializer {
 public:
  explicit Orthogonal(OrthogonalOptions options = {});
};
using OrthogonalInitializer = Orthogonal;
class IdentityInitializer : public Initializer {  // "identity": gain on the diagonal of a matrix
 public:
  explicit IdentityInitializer(double gain = 1);
};

}  // namespace headrace::keras
