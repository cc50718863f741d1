// Runs a model that Keras saved, for test_numerics.py, which compares the results with TensorFlow's.
//
// usage: numerics_tool DIR
// DIR holds model.h5, job.json and x.f32, y.f32 (raw float32, all batches one after the other).
// job.json: {"x_shape": […], "classes": C, "batch": B, "steps": N, "optimizer": {"name", …}, "policy",
//            "conv_algorithms", "loss": {"class_name", "config"}, "y_shape": […], "weighted"}; without a loss it is
//            categorical crossentropy, y_shape is [C]; weighted: w.f32 has a weight for each row.
// "optimizer" is that, or Keras's {"class_name", "config"}.
// Writes predict.f32 (of the first batch, before training), losses.f32 (one a step), and for the first step
// gradient_<i>.f32, after the last one weight_<i>.f32 and slot_<i>.f32, i counting the trainable variables, all
// weights, and what the optimizer keeps.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "keras/engine.h"
#include "keras/losses/loss_state.h"
#include "keras/optimizer_config.h"
#include "keras/optimizer_rules.h"
#include "keras/packed.h"
#include "keras/schedule_state.h"
#include "keras/weight_update.h"

namespace {

using namespace headrace;
using namespace headrace::keras;
using nlohmann::json;

std::string directory;

Tensor ReadFloats(const std::string& name, Shape shape) {
  Tensor tensor(DType::kFloat32, std::move(shape));
  std::ifstream file(directory + "/" + name, std::ios::binary);
  if (!file.read(static_cast<char*>(tensor.raw()), static_cast<std::streamsize>(tensor.bytes())))
    throw Error(ErrorCode::kNotFound, name + ": missing or too short");
  return tensor;
}

void WriteFloats(const std::string& name, const float* values, int64_t count) {
  std::ofstream file(directory + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values), count * static_cast<int64_t>(sizeof(float)));
}

void WriteFloats(const std::string& name, const Tensor& tensor) {
  WriteFloats(name, tensor.data<float>(), tensor.size());
}

Optimizer OptimizerOf(const json& o) {
  if (o.contains("class_name")) return keras::internal::OptimizerFromConfig(o).value();
  const std::string name = o.at("name");
  const auto get = [&](const char* key, float otherwise) { return o.value(key, otherwise); };
  if (name == "sgd")
    return SGD({.learning_rate = get("learning_rate", 0.01f),
                .momentum = get("momentum", 0),
                .nesterov = o.value("nesterov", false),
                .decay = get("decay", 0)});
  if (name == "rmsprop")
    return RMSprop({.learning_rate = get("learning_rate", 0.001f),
                    .rho = get("rho", 0.9f),
                    .momentum = get("momentum", 0),
                    .decay = get("decay", 0)});
  return Adam({.learning_rate = get("learning_rate", 0.001f), .decay = get("decay", 0)});
}

Loss LossOf(const json& job) {
  if (!job.contains("loss")) return CategoricalCrossentropy();
  return keras::internal::LossFromConfig(job["loss"].at("class_name"), job["loss"].at("config"));
}

Tensor Labels(const Loss& loss, const Tensor& y) { return loss.state()->classes ? y.Cast(DType::kInt64) : y; }

Metric MetricOf(const json& m) {
  const std::string name = m.at("class_name");
  const json o = m.value("options", json::object());
  const auto threshold = [&] {
    return ThresholdOptions{.threshold = o.value("threshold", -1.0f),
                            .top_k = o.value("top_k", int64_t{0}),
                            .class_id = o.value("class_id", int64_t{-1})};
  };
  const auto rate = [&] {
    return AtRateOptions{.value = o.at("value"), .num_thresholds = o.value("num_thresholds", int64_t{200})};
  };
  if (name == "Precision") return Precision(threshold());
  if (name == "Recall") return Recall(threshold());
  if (name == "TrueNegatives") return TrueNegatives(threshold());
  if (name == "AUC")
    return AUC({.num_thresholds = o.value("num_thresholds", int64_t{200}),
                .curve = o.value("curve", "ROC"),
                .summation_method = o.value("summation_method", "interpolation"),
                .multi_label = o.value("multi_label", false),
                .from_logits = o.value("from_logits", false)});
  if (name == "SensitivityAtSpecificity") return SensitivityAtSpecificity(rate());
  if (name == "SpecificityAtSensitivity") return SpecificityAtSensitivity(rate());
  if (name == "PrecisionAtRecall") return PrecisionAtRecall(rate());
  if (name == "RecallAtPrecision") return RecallAtPrecision(rate());
  if (name == "F1Score") return F1Score({.average = o.at("average"), .threshold = o.value("threshold", 0.0f)});
  if (name == "FBetaScore")
    return FBetaScore({.average = o.at("average"), .beta = o.at("beta"), .threshold = o.value("threshold", 0.0f)});
  if (name == "TopKCategoricalAccuracy") return TopKCategoricalAccuracy({.k = o.at("k")});
  if (name == "SparseTopKCategoricalAccuracy") return SparseTopKCategoricalAccuracy({.k = o.at("k")});
  if (name == "BinaryAccuracy") return BinaryAccuracy({.threshold = o.value("threshold", 0.5f)});
  if (name == "R2Score") return R2Score({.class_aggregation = o.at("class_aggregation")});
  if (name == "MeanIoU")
    return MeanIoU({.num_classes = o.at("num_classes"),
                    .sparse_y_true = o.value("sparse_y_true", true),
                    .sparse_y_pred = o.value("sparse_y_pred", true)});
  return name;
}

// job.json: {"metric": {"class_name", "options"}, "rows", "x_shape", "y_shape", "batch", "weighted"}: the metric over x
// as predictions, in metric.f32.
void RunMetric(const json& job) {
  const int64_t rows = job.at("rows");
  const auto read = [&](const char* name, const char* shape) {
    std::vector<int64_t> dims = job.at(shape);
    dims.insert(dims.begin(), rows);
    return ReadFloats(name, Shape(dims));
  };
  const Tensor x = read("x.f32", "x_shape"), y = read("y.f32", "y_shape");
  const bool weighted = job.value("weighted", false);
  std::vector<int64_t> dims = job.at("x_shape");
  const KerasTensor input = Input(Shape(dims));
  Model model(input, Activation("linear")(input));
  CompileOptions options;
  if (weighted) options.weighted_metrics = {MetricOf(job.at("metric"))};
  const Loss loss = job.value("classes", false) ? Loss("sparse_categorical_crossentropy") : Loss("mse");
  model.compile("sgd", loss, weighted ? std::vector<Metric>{} : std::vector<Metric>{MetricOf(job.at("metric"))},
                options);
  EvaluateOptions evaluate{.batch_size = job.at("batch"), .verbose = 0};
  if (weighted) evaluate.sample_weight = ReadFloats("w.f32", {rows});
  const Logs logs = model.evaluate(x, job.value("classes", false) ? y.Cast(DType::kInt64) : y, evaluate);
  float value = 0;
  for (const auto& [name, number] : logs) value = static_cast<float>(number);  // the last one
  WriteFloats("metric.f32", &value, 1);
}

// job.json: {"schedule": Keras's configuration, "steps": N}: the rates of the first N steps, in rates.f32.
void RunSchedule(const json& job) {
  const LearningRateSchedule schedule = keras::internal::ScheduleFromJson(job.at("schedule")).value();
  std::vector<float> rates;
  for (int64_t step = 0; step < job.at("steps"); ++step) rates.push_back(schedule(step));
  WriteFloats("rates.f32", rates.data(), static_cast<int64_t>(rates.size()));
}

// job.json: {"describe": "adam"}: Keras's configuration of the optimizer with its defaults, in optimizer.json.
void Describe(const json& job) {
  const Optimizer optimizer(job.at("describe").get<std::string>());
  std::ofstream(directory + "/optimizer.json") << keras::internal::OptimizerConfig(*optimizer.state());
}

// slot_<i>.f32, in the order in which Keras's optimizers have their variables.
void WriteSlots(const keras::internal::OptimizerState& optimizer, size_t variables) {
  int number = 0;
  size_t first = 0;
  for (const auto& group : keras::internal::SlotGroups(optimizer)) {
    for (size_t variable = 0; variable < variables; ++variable)
      for (size_t slot = 0; slot < group.size(); ++slot)
        WriteFloats("slot_" + std::to_string(number++) + ".f32", optimizer.slots[first + slot].values[variable]);
    first += group.size();
  }
}

// job.json: {"update": Keras's configuration of an optimizer, "shapes": [[…], …], "steps": N}: N steps on variables of
// these shapes that are in w.f32, with the gradients in g.f32; writes weight_<i>.f32 and slot_<i>.f32.
void RunUpdates(const json& job) {
  const Optimizer made = keras::internal::OptimizerFromConfig(job.at("update")).value();
  keras::internal::OptimizerState& optimizer = *made.state();
  const int64_t steps = job.at("steps");
  std::vector<Shape> shapes;
  int64_t count = 0;
  for (const auto& dims : job.at("shapes")) {
    shapes.emplace_back(dims.get<std::vector<int64_t>>());
    count += shapes.back().size();
  }
  const Tensor start = ReadFloats("w.f32", {count}), given = ReadFloats("g.f32", {steps, count});
  const keras::internal::PackedTensors weights = keras::internal::PackTensors(shapes),
                                       gradients = keras::internal::PackTensors(shapes);
  const auto copy = [](const float* from, const std::vector<Tensor>& views) {
    for (const Tensor& view : views) {
      std::copy_n(from, view.size(), const_cast<float*>(view.data<float>()));
      from += view.size();
    }
  };
  copy(start.data<float>(), weights.views);
  std::vector<keras::VariablePtr> variables;
  for (const Tensor& view : weights.views)
    variables.push_back(std::make_shared<Variable>(Variable{.name = "variable", .value = view}));
  keras::internal::MakeSlots(optimizer, variables);
  const auto backend = tensor::MakeOneDnnBackend();
  keras::internal::WeightUpdate update(*backend, optimizer, variables, weights.buffer);
  for (int64_t step = 0; step < steps; ++step) {
    copy(given.data<float>() + step * count, gradients.views);
    update.Apply(gradients.buffer.data<float>());
    ++optimizer.iterations;
  }
  for (size_t i = 0; i < variables.size(); ++i) WriteFloats("weight_" + std::to_string(i) + ".f32", weights.views[i]);
  WriteSlots(optimizer, variables.size());
}

void Run() {
  const json job = json::parse(std::ifstream(directory + "/job.json"));
  if (job.contains("schedule")) return RunSchedule(job);
  if (job.contains("describe")) return Describe(job);
  if (job.contains("update")) return RunUpdates(job);
  if (job.contains("metric")) return RunMetric(job);
  const int64_t batch = job.at("batch"), steps = job.at("steps"), classes = job.at("classes");
  std::vector<int64_t> dims = job.at("x_shape");
  dims.insert(dims.begin(), batch * std::max<int64_t>(steps, 1));
  const Tensor x = ReadFloats("x.f32", Shape(dims));
  Shape targets{dims[0], classes};
  if (job.contains("y_shape")) {
    std::vector<int64_t> y_dims = job.at("y_shape");
    y_dims.insert(y_dims.begin(), dims[0]);
    targets = Shape(y_dims);
  }
  const Tensor y = ReadFloats("y.f32", targets);
  const Tensor sample_weights = job.value("weighted", false) ? ReadFloats("w.f32", {dims[0]}) : Tensor();
  const Loss loss = LossOf(job);

  Model model = LoadModel(directory + "/model.h5");
  model.compile(OptimizerOf(job.at("optimizer")), loss, {"accuracy"},
                {.policy = job.value("policy", "float32"), .conv_algorithms = job.value("conv_algorithms", "direct")});
  keras::internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
  Shape output = model.output_shape();
  output[0] = batch;
  Tensor scores(DType::kFloat32, output);
  engine.PredictBatch(x.Slice(0, batch), scores);
  WriteFloats("predict.f32", scores);

  std::vector<float> losses;
  for (int64_t step = 0; step < steps; ++step) {
    const auto part = [&](const Tensor& all) { return all.Slice(step * batch, (step + 1) * batch); };
    keras::internal::Batch rows{{part(x)}, {Labels(loss, part(y))}, {}};
    if (sample_weights.defined()) rows.weights = {part(sample_weights)};
    const auto result = engine.TrainBatch(rows);
    losses.push_back(static_cast<float>(result.loss / static_cast<double>(result.rows)));
    if (step > 0) continue;
    for (size_t i = 0; i < model.state().TrainableWeights().size(); ++i)
      WriteFloats("gradient_" + std::to_string(i) + ".f32", engine.gradient(i));
  }
  WriteFloats("losses.f32", losses.data(), static_cast<int64_t>(losses.size()));
  WriteSlots(*model.optimizer().state(), model.state().TrainableWeights().size());
  const auto weights = model.weights();
  for (size_t i = 0; i < weights.size(); ++i) WriteFloats("weight_" + std::to_string(i) + ".f32", weights[i]->value);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: numerics_tool DIR\n", 2;
  directory = argv[1];
  try {
    Run();
  } catch (const std::exception& error) {
    std::cerr << "numerics_tool: " << error.what() << "\n";
    return 1;
  }
}
