// hdf5_tool: the C++ side of test_hdf5.py.
//   hdf5_tool write sequential|functional PATH   a compiled model whose optimizer looks trained
//   hdf5_tool show PATH                          what LoadModel() makes of a file, as JSON
//   hdf5_tool weights MODEL WEIGHTS              the same, with the weights of another file
//   hdf5_tool resave IN OUT                      LoadModel(), then save
#include <cstdio>
#include <cstring>
#include <string>

#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "keras/model_state.h"

namespace headrace::keras {
namespace {

using nlohmann::json;

Model SequentialModel() {
  Sequential model(
      {Conv2D(4, {3, 3}, {.padding = "same", .name = "inputs", .input_shape = {8, 8, 3}}),
       BatchNormalization({.momentum = 0.9f}), Activation("relu"), MaxPooling2D(), Dropout(0.2f), ZeroPadding2D(),
       Flatten(), Dense(5, {.activation = "elu", .kernel_initializer = "he_normal"}), Dense(3), Activation("softmax")},
      {.seed = 1});
  model.compile(Adam({.learning_rate = 0.002f}), "categorical_crossentropy", {"accuracy"});
  return model;
}

Model FunctionalModel() {
  const KerasTensor input = Input({8, 8, 3});
  const Conv2D shared(3, {3, 3}, {.padding = "same", .use_bias = false});
  const KerasTensor x = shared(input);
  const KerasTensor sum = Add()({shared(x), x, input});
  const KerasTensor pooled =
      GlobalAveragePooling2D()(MaxPooling2D({3, 3}, {.strides = {2, 2}, .padding = "same"})(sum));
  Model model(input, Dense(2, {.activation = "softmax"})(pooled), {.seed = 2});
  model.compile(SGD({.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true}),
                SparseCategoricalCrossentropy({.from_logits = false}), {"accuracy"});
  return model;
}

void PretendTraining(internal::ModelState& state) {
  state.EnsureSlots();
  internal::OptimizerState& optimizer = *state.compiled->optimizer.state();
  optimizer.iterations = 17;
  float next = 0;
  for (auto& slot : optimizer.slots)
    for (Tensor& value : slot.values)
      for (int64_t i = 0; i < value.size(); ++i) value.data<float>()[i] = next += 0.125f;
}

json Json(const Tensor& value) {
  const float* data = value.data<float>();
  return {{"shape", value.shape().dims()}, {"values", std::vector<float>(data, data + value.size())}};
}

json Json(const internal::Compiled& compiled) {
  const internal::OptimizerState& optimizer = *compiled.optimizer.state();
  json slots = json::object();
  for (const auto& slot : optimizer.slots) {
    slots[slot.name] = json::array();
    for (const Tensor& value : slot.values) slots[slot.name].push_back(Json(value));
  }
  json metrics = json::array();
  for (const auto& column : compiled.columns) metrics.push_back(column.name);
  return {{"optimizer", compiled.optimizer.name()}, {"learning_rate", optimizer.learning_rate},
          {"iterations", optimizer.iterations},     {"slots", slots},
          {"loss", compiled.losses[0]->name()},     {"metrics", metrics},
          {"policy", compiled.options.policy}};
}

json Json(const internal::ModelState& state) {
  json weights = json::array();
  for (const auto& weight : state.Weights()) {
    weights.push_back(Json(weight->value));
    weights.back()["name"] = weight->name;
  }
  json layers = json::array();
  for (const auto& layer : state.Layers()) layers.push_back({layer->name, layer->ClassName()});
  return {{"name", state.name},
          {"sequential", state.sequential},
          {"layers", layers},
          {"weights", weights},
          {"compiled", state.compiled ? Json(*state.compiled) : json()}};
}

int Run(int count, char** arguments) {
  const std::string verb = count > 1 ? arguments[1] : "";
  if (verb == "write" && count == 4) {
    const Model model = std::strcmp(arguments[2], "sequential") == 0 ? SequentialModel() : FunctionalModel();
    PretendTraining(model.state());
    internal::SaveModel(model.state(), arguments[3], "");
  } else if (verb == "show" && count == 3) {
    std::puts(Json(*internal::LoadModelFile(arguments[2])).dump().c_str());
  } else if (verb == "weights" && count == 4) {
    const auto model = internal::LoadModelFile(arguments[2]);
    internal::LoadWeights(*model, arguments[3]);
    std::puts(Json(*model).dump().c_str());
  } else if (verb == "resave" && count == 4) {
    internal::SaveModel(*internal::LoadModelFile(arguments[2]), arguments[3], "");
  } else {
    std::fputs("usage: hdf5_tool write|show|weights|resave …\n", stderr);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace headrace::keras

int main(int count, char** arguments) {
  try {
    return headrace::keras::Run(count, arguments);
  } catch (const headrace::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
