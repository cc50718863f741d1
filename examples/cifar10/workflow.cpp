// The whole workflow in C++, cell by cell as in SageMaker's notebook: upload the data set, train three jobs (baseline,
// Pipe mode, several hosts with Horovod), compare them, host the model, evaluate it through its endpoint, clean up.
//
//   headrace serve &  eval "$(headrace env)"        # or AWS's own credentials and region
//   headrace dataset cifar10 --data-dir data
//   workflow --data data --source examples/cifar10
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "headrace/data.h"
#include "headrace/sagemaker.h"

using namespace headrace;
using namespace headrace::sagemaker;

struct Options {
  std::string data = "data", source = "source", entry_point = "keras_cifar10.cpp";
  std::string instance_type = "ml.m5.xlarge";
  int epochs = 10, batch_size = 256, hosts = 2;  // hosts 1: no distributed job
  std::string train_records = "40000", validation_records = "10000", eval_records = "10000";  // for Pipe mode
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  const auto usage = [](std::FILE* to, const char* found) {
    if (found != nullptr) std::fprintf(to, "workflow: found %s\n", found);
    std::fprintf(to,
                 "Usage: workflow [--data DIR] [--source DIR] [--entry-point FILE] [--instance-type TYPE]\n"
                 "                [--epochs N] [--batch-size N] [--hosts N] [--records TRAIN,VALIDATION,EVAL]\n");
    std::exit(found != nullptr ? 2 : 0);
  };
  if (argc == 2 && std::strcmp(argv[1], "--help") == 0) usage(stdout, nullptr);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--data")
      options.data = value;
    else if (name == "--source")
      options.source = value;
    else if (name == "--entry-point")
      options.entry_point = value;
    else if (name == "--instance-type")
      options.instance_type = value;
    else if (name == "--epochs")
      options.epochs = std::atoi(value.c_str());
    else if (name == "--batch-size")
      options.batch_size = std::atoi(value.c_str());
    else if (name == "--hosts")
      options.hosts = std::atoi(value.c_str());
    else if (name == "--records") {
      const size_t first = value.find(','), second = value.find(',', first + 1);
      if (second == std::string::npos) usage(stderr, argv[i + 1]);
      options.train_records = value.substr(0, first);
      options.validation_records = value.substr(first + 1, second - first - 1);
      options.eval_records = value.substr(second + 1);
    } else
      usage(stderr, argv[i]);
  }
  if (argc % 2 == 0) usage(stderr, argv[argc - 1]);
  return options;
}

// What the three jobs have in common.
EstimatorOptions Estimator(const Options& options, const std::string& role, const std::string& base_job_name) {
  return {
      .entry_point = options.entry_point,
      .source_dir = options.source,
      .role = role,
      .instance_count = 1,
      .instance_type = options.instance_type,
      .framework_version = "1.15.2",
      .py_version = "py3",
      .hyperparameters = {{"epochs", options.epochs}, {"batch-size", options.batch_size}},
      .metric_definitions =
          {{"train:loss", R"(.*loss: ([0-9\.]+) - accuracy: [0-9\.]+.*)"},
           {"train:accuracy", R"(.*loss: [0-9\.]+ - accuracy: ([0-9\.]+).*)"},
           {"validation:accuracy",
            R"(.*step - loss: [0-9\.]+ - accuracy: [0-9\.]+ - val_loss: [0-9\.]+ - val_accuracy: ([0-9\.]+).*)"},
           {"validation:loss",
            R"(.*step - loss: [0-9\.]+ - accuracy: [0-9\.]+ - val_loss: ([0-9\.]+) - val_accuracy: [0-9\.]+.*)"}},
      .base_job_name = base_job_name,
      .tags = {{"Project", "cifar10"}, {"TensorBoard", "file"}},
  };
}

Inputs Channels(const std::string& dataset_uri) {
  return {
      {"train", dataset_uri + "/train"}, {"validation", dataset_uri + "/validation"}, {"eval", dataset_uri + "/eval"}};
}

void PrintMetrics(const TensorFlow& estimator) {
  for (const MetricSeries& series : estimator.training_job_analytics()) {
    for (const auto& [timestamp, value] : series.points)
      std::printf("  %8.1f s  %-20s %g\n", timestamp, series.name.c_str(), value);
  }
}

void Compare(const std::vector<TensorFlow>& estimators) {
  std::printf("%-50s %10s %6s %10s %10s\n", "job", "seconds", "hosts", "accuracy", "validation");
  for (const TensorFlow& estimator : estimators) {
    TrainingJob job = estimator.latest_training_job();
    std::printf("%-50s %10lld %6d %10.4f %10.4f\n", job.name.c_str(), static_cast<long long>(job.training_seconds),
                job.instance_count, job.final_metrics["train:accuracy"], job.final_metrics["validation:accuracy"]);
  }
}

size_t Highest(std::span<const float> scores) {
  return static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// Sends the test set in batches of 128 and prints accuracy and confusion matrix.
void Evaluate(const Predictor& predictor, const std::string& file) {
  constexpr size_t kClasses = data::cifar10::kClasses;
  int matrix[kClasses][kClasses] = {}, right = 0, total = 0;
  auto batches = data::Dataset::TFRecord({file})
                     .map([](const data::Element& record) { return data::cifar10::ParseRecord(record); })
                     .batch(128)
                     .MakeIterator();
  while (const auto batch = batches.Next()) {
    const Array scores = predictor.predict(TensorView(batch->x().Cast(DType::kFloat32)));
    const std::span<const float> labels(batch->y().data<float>(), static_cast<size_t>(batch->y().size()));
    for (size_t i = 0; i < scores.rows(); ++i) {
      const size_t truth = Highest(labels.subspan(i * kClasses, kClasses)), predicted = Highest(scores.row(i));
      ++matrix[truth][predicted];
      right += truth == predicted;
      ++total;
    }
  }
  std::printf("Test accuracy: %.4f (%d of %d)\n%12s", static_cast<double>(right) / total, right, total, "");
  for (const char* name : data::cifar10::kClassNames) std::printf(" %10s", name);
  for (size_t truth = 0; truth < kClasses; ++truth) {
    std::printf("\n%12s", data::cifar10::kClassNames[truth]);
    for (const int count : matrix[truth]) std::printf(" %10d", count);
  }
  std::printf("\n");
}

void Run(const Options& options) {
  // Session and role.
  const Session session;
  const std::string role = get_execution_role(session);
  std::printf("Role: %s\nBucket: %s\n", role.c_str(), session.default_bucket().c_str());

  // The data set to S3.
  const std::string dataset_uri =
      S3Uploader::upload(options.data, "s3://" + session.default_bucket() + "/tf-cifar10-example/data", session);
  std::printf("Data set: %s\n", dataset_uri.c_str());

  // The baseline: one host, files.
  TensorFlow estimator(Estimator(options, role, "cifar10-tf"), session);
  estimator.fit(Channels(dataset_uri));
  PrintMetrics(estimator);

  // The same with the data streamed while it trains.
  EstimatorOptions pipe = Estimator(options, role, "pipe-cifar10-tf");
  pipe.input_mode = "Pipe";
  pipe.hyperparameters.insert({{"train-records", options.train_records},
                               {"validation-records", options.validation_records},
                               {"eval-records", options.eval_records}});
  TensorFlow pipe_estimator(pipe, session);
  pipe_estimator.fit(Channels(dataset_uri));
  std::vector<TensorFlow> estimators = {estimator, pipe_estimator};

  // Several hosts that learn together.
  if (options.hosts > 1) {
    EstimatorOptions distributed = Estimator(options, role, "cifar10-tf-dist");
    distributed.instance_count = options.hosts;
    distributed.distribution.mpi = {.enabled = true, .processes_per_host = 1};
    estimators.emplace_back(distributed, session).fit(Channels(dataset_uri));
  }
  Compare(estimators);

  // The endpoint: one random image, then the test set.
  const Predictor predictor = estimator.deploy(1, "ml.m4.xlarge");
  std::mt19937 random(1);
  std::vector<float> image(32 * 32 * 3);
  for (float& value : image) value = std::normal_distribution<float>()(random);
  const Array scores = predictor.predict(TensorView(image, {1, 32, 32, 3}));
  std::printf("A random image is most likely: %s\n", data::cifar10::kClassNames[Highest(scores.row(0))]);
  Evaluate(predictor, options.data + "/eval/eval.tfrecords");

  // Clean up.
  predictor.delete_model();
  predictor.delete_endpoint();
  std::printf("The endpoint is deleted.\n");
}

int main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  try {
    Run(options);
    return 0;
  } catch (const ServiceError& error) {
    std::fprintf(stderr, "workflow: %s (%s, request %s)\n", error.what(), error.service_code.c_str(),
                 error.request_id.c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "workflow: %s\n", error.what());
  }
  return 1;
}
