// Models for tests: the example's CNN and one of everything that export knows, with weights no layer starts with.
#pragma once

#include <string>
#include <vector>

#include "headrace/data.h"
#include "headrace/keras.h"

namespace headrace::savedmodel::testing {

// Statistics and factors of trained models: all different, variances positive. Kernels keep their initial values.
inline void RandomizeWeights(const keras::Model& model, uint64_t seed) {
  data::Random random(seed);
  const auto uniform = [&](float low, float high) { return low + (high - low) * random.Uniform(); };
  bool first = true;  // the first statistics are of pixels' sums
  for (const auto& weight : model.weights()) {
    if (weight->name.find("kernel") != std::string::npos) continue;
    const bool variance = weight->name.find("moving_variance") != std::string::npos;
    const bool gamma = weight->name.find("gamma") != std::string::npos;
    const float scale = variance && first ? 1e4f : 1;
    float* values = weight->value.data<float>();
    for (int64_t i = 0; i < weight->value.size(); ++i)
      values[i] = variance || gamma ? scale * uniform(0.5f, 1.5f) : uniform(-0.5f, 0.5f);
    first = first && !variance;
  }
}

inline Tensor RandomInputs(Shape shape, float high, uint64_t seed) {
  data::Random random(seed);
  Tensor inputs(DType::kFloat32, std::move(shape));
  for (int64_t i = 0; i < inputs.size(); ++i) inputs.data<float>()[i] = random.Uniform() * high;
  return inputs;
}

inline keras::Model ExampleCnn() {
  using namespace keras;
  Sequential model({.name = "cnn", .seed = 3});
  for (const int64_t filters : {32, 64, 128}) {
    if (filters == 32) {
      model.add(Conv2D(filters, {3, 3}, {.padding = "same", .name = "inputs", .input_shape = {32, 32, 3}}));
    } else {
      model.add(Conv2D(filters, {3, 3}, {.padding = "same"}));
    }
    model.add(BatchNormalization());
    model.add(Activation("relu"));
    model.add(Conv2D(filters, {3, 3}));
    model.add(BatchNormalization());
    model.add(Activation("relu"));
    model.add(MaxPooling2D());
    model.add(Dropout(0.2f));
  }
  model.add(Flatten());
  model.add(Dense(512));
  model.add(Activation("relu"));
  model.add(Dropout(0.5f));
  model.add(Dense(10));
  model.add(Activation("softmax"));
  RandomizeWeights(model, 7);
  return model;
}

// Odd sizes, uneven paddings, every activation, a layer used twice, BatchNormalization of vectors.
inline keras::Model ModelOfEverything() {
  using namespace keras;
  const KerasTensor input = Input({15, 10, 3}, "picture");
  KerasTensor x = Conv2D(8, {3, 3}, {.strides = {2, 2}, .padding = "same"})(input);
  x = ZeroPadding2D({{{1, 0}, {2, 1}}})(x);
  x = Conv2D(8, {3, 2}, {.dilation_rate = {2, 1}, .activation = "elu", .use_bias = false})(x);
  x = BatchNormalization({.epsilon = 1e-2f})(x);
  const Conv2D shared(8, {1, 1}, {.activation = "swish"});
  x = shared(shared(x));
  std::vector<KerasTensor> branches;
  for (const char* name : {"linear", "relu", "sigmoid", "tanh", "elu", "gelu", "swish", "softmax"})
    branches.push_back(Activation(name)(x));
  x = Add()(branches);
  x = MaxPooling2D({3, 3}, {.strides = {2, 2}, .padding = "same"})(x);
  const KerasTensor pooled = GlobalAveragePooling2D()(x);
  const KerasTensor flat = Dense(8, {.activation = "gelu"})(Flatten()(x));
  KerasTensor y = Add()(std::vector<KerasTensor>{pooled, flat});
  y = Dropout(0.3f)(y);
  y = Dense(6, {.activation = "tanh"})(y);
  y = BatchNormalization()(y);
  y = Dense(5, {.activation = "sigmoid", .use_bias = false})(y);
  Model model(input, y, {.name = "everything", .seed = 5});
  RandomizeWeights(model, 11);
  return model;
}

}  // namespace headrace::savedmodel::testing
