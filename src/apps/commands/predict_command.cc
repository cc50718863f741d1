#include "apps/commands/predict_command.h"

#include <algorithm>
#include <cstring>
#include <iostream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/evaluation/classifier.h"
#include "apps/evaluation/images.h"
#include "base/result.h"

namespace headrace::apps {
namespace {

constexpr int64_t kBatchSize = 32;
constexpr size_t kShown = 3;

struct PredictOptions {
  std::string model, classes;
  std::vector<std::string> images;
  std::shared_ptr<OutputFormat> format;
};

struct Prediction {
  std::string file;
  int64_t height = 0, width = 0;  // of the file
  bool resized = false;
  std::vector<float> scores;

  // Class indices, best first.
  std::vector<size_t> Order() const {
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    return order;
  }
};

std::vector<Prediction> Predict(Classifier& classifier, const std::vector<std::string>& files) {
  std::vector<Prediction> predictions;
  Tensor images(DType::kUInt8, {static_cast<int64_t>(files.size()), classifier.height(), classifier.width(), 3});
  for (size_t i = 0; i < files.size(); ++i) {
    const Tensor original = ReadPng(files[i]);
    const Tensor image = Resize(original, classifier.height(), classifier.width());
    std::memcpy(static_cast<uint8_t*>(images.raw()) + i * image.bytes(), image.raw(), image.bytes());
    predictions.push_back({files[i], original.dim(0), original.dim(1), image.raw() != original.raw(), {}});
  }
  const Tensor scores = classifier.Scores(images, kBatchSize);
  const int64_t classes = scores.dim(1);
  for (size_t i = 0; i < files.size(); ++i) {
    const float* row = scores.data<float>() + static_cast<int64_t>(i) * classes;
    predictions[i].scores.assign(row, row + classes);
  }
  return predictions;
}

std::string ToText(const Prediction& prediction, const Classifier& classifier, size_t file_width) {
  std::string text = fmt::format("{:<{}} ", prediction.file, file_width);
  const std::vector<size_t> order = prediction.Order();
  for (size_t i = 0; i < std::min(kShown, order.size()); ++i)
    text += fmt::format(" {:>10} {:.3f}", classifier.classes()[order[i]], prediction.scores[order[i]]);
  if (prediction.resized)
    text += fmt::format("  (resized from {}x{} to {}x{})", prediction.width, prediction.height, classifier.width(),
                        classifier.height());
  return text + "\n";
}

nlohmann::json ToJson(const Prediction& prediction, const Classifier& classifier) {
  const size_t best = prediction.Order().front();
  nlohmann::json scores = nlohmann::json::object();
  for (size_t i = 0; i < prediction.scores.size(); ++i) scores[classifier.classes()[i]] = prediction.scores[i];
  return {{"file", prediction.file},      {"class", classifier.classes()[best]}, {"index", best},
          {"scores", std::move(scores)},  {"width", prediction.width},           {"height", prediction.height},
          {"resized", prediction.resized}};
}

void RunPredict(const PredictOptions& options) {
  Classifier classifier(options.model, options.classes);
  const std::vector<Prediction> predictions = Predict(classifier, options.images);
  if (*options.format == OutputFormat::kJson) {
    nlohmann::json json = {{"model", classifier.directory()}, {"predictions", nlohmann::json::array()}};
    for (const Prediction& prediction : predictions) json["predictions"].push_back(ToJson(prediction, classifier));
    std::cout << json.dump(2) << "\n";
    return;
  }
  size_t width = 0;
  for (const Prediction& prediction : predictions) width = std::max(width, prediction.file.size());
  for (const Prediction& prediction : predictions) std::cout << ToText(prediction, classifier, width);
}

}  // namespace

void AddPredictCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("predict", "name the class of PNG images, with the scores");
  auto options = std::make_shared<PredictOptions>();
  command->add_option("--model", options->model, "SavedModel: a version directory, or the parent of versions")
      ->required();
  command->add_option("--classes", options->classes, "file with a class name a line (default: CIFAR-10's)");
  command->add_option("images", options->images, "PNG files")->required()->option_text("IMAGE.png...");
  options->format = AddOutputOption(*command);
  SetExample(*command, "headrace predict --model export cat.png truck.png");
  command->callback([options] { RunPredict(*options); });
}

}  // namespace headrace::apps
