#include "apps/commands/evaluate_command.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>

#include <nlohmann/json.hpp>

#include "headrace/data.h"

#include "apps/client/scratch_directory.h"
#include "apps/client/server_options.h"
#include "apps/client/shown_transfer.h"
#include "apps/command.h"
#include "apps/evaluation/classifier.h"
#include "apps/evaluation/confusion_matrix.h"
#include "apps/evaluation/confusion_matrix_picture.h"
#include "base/file.h"
#include "base/result.h"

namespace headrace::apps {
namespace {

struct EvaluateOptions {
  std::string model, endpoint, data, report, classes;
  int64_t batch_size = 256;
  std::shared_ptr<OutputFormat> format;
};

// What names images: a SavedModel here, or an endpoint.
struct Model {
  std::string name;
  std::vector<std::string> classes;
  std::function<Tensor(const Tensor& images)> scores;  // uint8 [n, h, w, 3] to float32 [n, classes]
};

Model SavedModelOf(const EvaluateOptions& options) {
  auto classifier = std::make_shared<Classifier>(options.model, options.classes);
  return {classifier->directory(), classifier->classes(),
          [classifier, batch_size = options.batch_size](const Tensor& images) {
            return classifier->Scores(images, batch_size);
          }};
}

Model EndpointOf(const EvaluateOptions& options, const ServerOptions& server) {
  const sagemaker::Predictor predictor(options.endpoint, server.FindSession(), sagemaker::Serializer::kNpy);
  std::vector<std::string> classes = ReadClasses(options.classes);
  const auto count = static_cast<int64_t>(classes.size());
  return {options.endpoint, std::move(classes), [predictor, count](const Tensor& images) {
            const sagemaker::Array answer = predictor.predict(sagemaker::TensorView(images));
            if (answer.dims != std::vector<int64_t>{images.dim(0), count})
              throw MakeError(ErrorCode::kInvalidArgument, "endpoint {}: found scores {}, wanted {}",
                              predictor.endpoint_name(), Shape(answer.dims).ToString(),
                              Shape({images.dim(0), count}).ToString());
            Tensor scores(DType::kFloat32, Shape(answer.dims));
            std::memcpy(scores.raw(), answer.values.data(), scores.bytes());
            return scores;
          }};
}

bool IsOnS3(const std::string& place) { return place.starts_with("s3://"); }

// The file of images, which is fetched first where it is an object; `scratch` is there as long as it is read.
std::string DataFile(const EvaluateOptions& options, const ServerOptions& server, const ScratchDirectory& scratch) {
  if (!IsOnS3(options.data)) return options.data;
  const auto files = sagemaker::S3Downloader::download(options.data, scratch.path() + "/data", server.FindSession(),
                                                       ShownTransfer("downloading " + options.data));
  if (files.size() != 1)
    throw MakeError(ErrorCode::kInvalidArgument, "--data {}: found {} objects, wanted one TFRecord file", options.data,
                    files.size());
  return files[0];
}

struct Evaluation {
  ConfusionMatrix matrix;
  std::string predictions = "record,true,predicted,score\n";  // CSV, a line an image, by the numbers of its classes
};

// The images as they are in the file: nothing is cropped or mirrored.
Evaluation Evaluate(const Model& model, const std::string& file, const EvaluateOptions& options) {
  Evaluation found{ConfusionMatrix(model.classes)};
  const auto classes = static_cast<int64_t>(found.matrix.size());
  const auto dataset = data::Dataset::TFRecord({file})
                           .map([](data::Element record) { return data::cifar10::ParseRecord(record); })
                           .batch(options.batch_size)
                           .prefetch(2);
  auto batches = dataset.MakeIterator();
  while (const auto batch = batches.Next()) {
    if (batch->y().dim(1) != classes)
      throw MakeError(ErrorCode::kInvalidArgument, "{}: labels of {} classes, the model has {}", options.data,
                      batch->y().dim(1), classes);
    const Tensor scores = model.scores(batch->x());
    for (int64_t i = 0; i < scores.dim(0); ++i) {
      const float* row = scores.data<float>() + i * classes;
      const int64_t truth = LargestIndex(batch->y().data<float>() + i * classes, classes);
      const int64_t predicted = LargestIndex(row, classes);
      found.predictions += fmt::format("{},{},{},{:.4f}\n", found.matrix.total(), truth, predicted, row[predicted]);
      found.matrix.Add(truth, predicted);
    }
  }
  if (found.matrix.total() == 0) throw MakeError(ErrorCode::kInvalidArgument, "{}: no records", options.data);
  return found;
}

void WriteReport(const Evaluation& found, const nlohmann::json& json, const std::string& directory) {
  ValueOrThrow(MakeDirectories(directory));
  ValueOrThrow(WriteFileAtomically(directory + "/report.json", json.dump(2) + "\n"));
  ValueOrThrow(WriteFileAtomically(directory + "/predictions.csv", found.predictions));
  ValueOrThrow(WriteFileAtomically(directory + "/confusion_matrix.svg", DrawSvg(found.matrix)));
  ValueOrThrow(WriteFileAtomically(directory + "/confusion_matrix.png", DrawPng(found.matrix)));
}

// A directory, or a prefix of a bucket, where the console finds it.
void StoreReport(const Evaluation& found, const nlohmann::json& json, const std::string& place,
                 const ServerOptions& server) {
  if (!IsOnS3(place)) return WriteReport(found, json, place);
  const ScratchDirectory scratch;
  WriteReport(found, json, scratch.path());
  sagemaker::S3Uploader::upload(scratch.path(), place, server.FindSession());
}

void RunEvaluate(const EvaluateOptions& options, const ServerOptions& server) {
  const Model model = options.endpoint.empty() ? SavedModelOf(options) : EndpointOf(options, server);
  const ScratchDirectory scratch;
  const std::string file = DataFile(options, server, scratch);
  const auto start = std::chrono::steady_clock::now();
  const Evaluation found = Evaluate(model, file, options);
  const ConfusionMatrix& matrix = found.matrix;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  nlohmann::json json = ToJson(matrix);
  json[options.endpoint.empty() ? "model" : "endpoint"] = model.name;
  json["data"] = options.data;
  if (!options.report.empty()) StoreReport(found, json, options.report, server);
  if (*options.format == OutputFormat::kJson) {
    std::cout << json.dump(2) << "\n";
    return;
  }
  std::cout << fmt::format("accuracy {:.4f}: {} of {} images right ({:.0f} images/s, without augmentation)\n\n",
                           matrix.accuracy(), matrix.correct(), matrix.total(),
                           static_cast<double>(matrix.total()) / seconds.count())
            << ToText(matrix);
  if (!options.report.empty())
    std::cout << fmt::format(
        "\nreport in {}: report.json, predictions.csv, confusion_matrix.svg, confusion_matrix.png\n", options.report);
}

}  // namespace

void AddEvaluateCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("evaluate", "accuracy, metrics of each class and the confusion matrix");
  auto options = std::make_shared<EvaluateOptions>();
  const ServerOptions server(*command);
  auto* which = command->add_option_group("model", "what is evaluated")->require_option(1);
  which->add_option("--model", options->model, "SavedModel: a version directory, or the parent of versions");
  which->add_option("--endpoint", options->endpoint, "an endpoint's name: the images are sent to it");
  command->add_option("--data", options->data, "TFRecord file of images and labels, also s3://BUCKET/KEY")->required();
  command->add_option("--report", options->report,
                      "directory, or s3://BUCKET/PREFIX, for report.json, each image's prediction and the confusion "
                      "matrix as SVG and PNG");
  command->add_option("--classes", options->classes, "file with a class name a line (default: CIFAR-10's)");
  command->add_option("--batch-size", options->batch_size, "images at once")
      ->check(CLI::Range(int64_t{1}, int64_t{65536}))
      ->capture_default_str();
  options->format = AddOutputOption(*command);
  SetExample(*command, "headrace evaluate --model export --data data/eval/eval.tfrecords --report report");
  command->callback([=] { RunEvaluate(*options, server); });
}

}  // namespace headrace::apps
