// headrace/keras/layers.h: Keras's layers. Included by headrace/keras.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "headrace/keras/constraints.h"
#include "headrace/keras/initializers.h"
#include "headrace/keras/layer.h"

namespace headrace::keras {

using Size2D = std::array<int64_t, 2>;  // {height, width}

struct Conv2DOptions {
  Size2D strides = {1, 1};
  std::string padding = "valid";  // or "same"
  Size2D dilation_rate = {1, 1};
  std::string activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform", bias_initializer = "zeros";
  Regularizer kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  Constraint kernel_constraint = {}, bias_constraint = {};
  std::string name = "";
  Shape input_shape = {};  // first layer of a Sequential only
};
// Cross-correlation. kernel [kh, kw, c, filters], bias [filters]; [n, h, w, c] -> [n, h', w', filters].
class Conv2D : public Layer {
 public:
  Conv2D(int64_t filters, Size2D kernel_size, Conv2DOptions options = {});
};

struct DenseOptions {
  std::string activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform", bias_initializer = "zeros";
  Regularizer kernel_regularizer = {}, bias_regularizer = {}, activity_regularizer = {};
  Constraint kernel_constraint = {}, bias_constraint = {};
  std::string name = "";
  Shape input_shape = {};
};
// x * kernel + bias over the last axis; kernel [in, units]. [n, …, in] -> [n, …, units].
class Dense : public Layer {
 public:
  explicit Dense(int64_t units, DenseOptions options = {});
};

struct BatchNormalizationOptions {
  float momentum = 0.99f;
  float epsilon = 1e-3f;
  bool synchronized = false;  // the batch is that of all ranks together (headrace/horovod.h)
  std::string name = "";
  Shape input_shape = {};
};
// (x - mean) / sqrt(variance + epsilon) * gamma + beta over the last axis. Training uses the batch's mean and biased
// variance and moves moving = moving * momentum + batch * (1 - momentum) (biased variance, as Keras 3); inference uses
// the moving ones. A layer that is not trainable always runs in inference mode.
class BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(BatchNormalizationOptions options = {});
};

struct LayerOptions {
  std::string name = "";
  Shape input_shape = {};
};
// "linear", "relu", "sigmoid", "tanh", "elu" (alpha 1), "gelu" (exact), "swish", "softmax" (last axis).
class Activation : public Layer {
 public:
  explicit Activation(std::string activation, LayerOptions options = {});
};
// Training: an element is dropped with probability `rate`, the others are divided by 1 - rate. Inference: identity.
class Dropout : public Layer {
 public:
  explicit Dropout(float rate, LayerOptions options = {});
};
struct MaxPooling2DOptions {
  Size2D strides = {0, 0};  // {0, 0}: the pool size
  std::string padding = "valid";
  std::string name = "";
  Shape input_shape = {};
};
class MaxPooling2D : public Layer {
 public:
  explicit MaxPooling2D(Size2D pool_size = {2, 2}, MaxPooling2DOptions options = {});
};
class GlobalAveragePooling2D : public Layer {  // [n, h, w, c] -> [n, c]
 public:
  explicit GlobalAveragePooling2D(LayerOptions options = {});
};
class Flatten : public Layer {  // row-major: index (h * W + w) * C + c
 public:
  explicit Flatten(LayerOptions options = {});
};
class Add : public Layer {  // element-wise sum of two or more inputs of equal shape
 public:
  explicit Add(LayerOptions options = {});
};
// The other merges of two or more inputs: element by element, dimensions of 1 repeat.
class Subtract : public Layer {  // of two
 public:
  explicit Subtract(LayerOptions options = {});
};
class Multiply : public Layer {
 public:
  explicit Multiply(LayerOptions options = {});
};
class Average : public Layer {
 public:
  explicit Average(LayerOptions options = {});
};
class Maximum : public Layer {
 public:
  explicit Maximum(LayerOptions options = {});
};
class Minimum : public Layer {
 public:
  explicit Minimum(LayerOptions options = {});
};
struct ConcatenateOptions {
  int64_t axis = -1;
  std::string name = "";
};
class Concatenate : public Layer {  // side by side; equal shapes but along the axis
 public:
  explicit Concatenate(ConcatenateOptions options = {});
};
// {{top, bottom}, {left, right}}
class ZeroPadding2D : public Layer {
 public:
  explicit ZeroPadding2D(std::array<Size2D, 2> padding = {{{1, 1}, {1, 1}}}, LayerOptions options = {});
};

}  // namespace headrace::keras
