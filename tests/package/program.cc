// A user's program: trains a little model, exports it and checks what the library says of a file that is not there.
#include <cstdio>

#include "headrace/data.h"
#include "headrace/keras.h"
#include "headrace/savedmodel.h"
#include "headrace/tensor.h"

using namespace headrace;
using namespace headrace::keras;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  Tensor x(DType::kFloat32, {64, 4}), y(DType::kFloat32, {64, 2});
  for (int64_t i = 0; i < 64; ++i) {
    for (int64_t j = 0; j < 4; ++j) x.data<float>()[i * 4 + j] = i % 2 == 0 ? 1.0f : -1.0f;
    for (int64_t j = 0; j < 2; ++j) y.data<float>()[i * 2 + j] = i % 2 == j ? 1.0f : 0.0f;
  }
  Sequential model({Dense(8, {.activation = "relu", .input_shape = {4}}), Dense(2, {.activation = "softmax"})});
  model.compile(Adam(), "categorical_crossentropy", {"accuracy"});
  model.fit(data::Dataset::FromTensors(x, y).batch(16), {.epochs = 20, .verbose = 0});
  savedmodel::Export(model, arguments[1]);
  try {
    data::TFRecordReader("/no/such/file").Next();
  } catch (const Error& error) {
    std::printf("caught: %s\n", error.what());
    return 0;
  }
  return 1;
}
