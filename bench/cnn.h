// The example's CNN, as the comparisons measure it.
#pragma once

#include <utility>

#include "headrace/keras.h"

namespace headrace::bench {

inline keras::Sequential Cnn() {
  using namespace keras;  // NOLINT(google-build-using-namespace)
  Sequential model(ModelOptions{.seed = 1});
  bool first = true;
  for (const auto& [filters, rate] : {std::pair{32, 0.2f}, {64, 0.3f}, {128, 0.4f}}) {
    for (const char* padding : {"same", "valid"}) {
      Conv2DOptions options{.padding = padding};
      if (first) options.input_shape = {32, 32, 3};
      first = false;
      model.add(Conv2D(filters, {3, 3}, options));
      model.add(BatchNormalization());
      model.add(Activation("relu"));
    }
    model.add(MaxPooling2D());
    model.add(Dropout(rate));
  }
  model.add(Flatten());
  model.add(Dense(512));
  model.add(Activation("relu"));
  model.add(Dropout(0.5f));
  model.add(Dense(10));
  model.add(Activation("softmax"));
  return model;
}

}  // namespace headrace::bench
