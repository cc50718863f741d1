// Trains a convolutional network on CIFAR-10 and exports it for serving: the training script of the SageMaker workflow.
//
//   headrace dataset cifar10 --data-dir data
//   keras_cifar10 --train data/train --validation data/validation --eval data/eval --model_dir model --batch-size 256
//
// In a job with MPI (`distributions={'mpi': {'enabled': True}}`) its ranks train together, each on its share of the
// records: hvd::init(), hvd::DistributedOptimizer and Horovod's callbacks are all it takes. Without a job:
//
//   mpirun -np 2 keras_cifar10 ...
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "headrace/data.h"
#include "headrace/horovod.h"
#include "headrace/keras.h"
#include "headrace/savedmodel.h"

using namespace headrace;
using namespace headrace::keras;

const char* Env(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

// This program's place among those that train together: alone, where mpirun has not started it.
struct Ranks {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  // among those of its host
};
Ranks JoinRanks() {
  hvd::init();
  return {hvd::rank(), hvd::size(), hvd::local_rank(), hvd::local_size()};
}

struct Option {
  const char *name, *value, *help;
};
struct Options {
  Option table[17] = {
      {"--train", Env("SM_CHANNEL_TRAIN", "data/train"), "directory of train.tfrecords"},
      {"--validation", Env("SM_CHANNEL_VALIDATION", "data/validation"), "directory of validation.tfrecords"},
      {"--eval", Env("SM_CHANNEL_EVAL", "data/eval"), "directory of eval.tfrecords"},
      {"--model_dir", Env("SM_MODEL_DIR", "model"), "gets the SavedModel, as version 1"},
      {"--output-dir", Env("SM_OUTPUT_DATA_DIR", "output"), "gets checkpoints and TensorBoard's logs"},
      {"--train-records", "40000", "in Pipe mode, where they cannot be counted beforehand"},
      {"--validation-records", "10000", ""},
      {"--eval-records", "10000", ""},
      {"--epochs", "10", ""},
      {"--batch-size", "128", ""},
      {"--learning-rate", "0.001", ""},
      {"--weight-decay", "2e-4", "of the learning rate: rate / (1 + decay * step)"},
      {"--optimizer", "adam", "adam, sgd or rmsprop"},
      {"--momentum", "0.9", "of sgd"},
      {"--policy", "float32", "or mixed_bfloat16"},
      {"--conv-algorithms", "auto", "the fastest here; direct: the same in every run"},
      {"--seed", "-1", "of weights, dropout and data; -1: the time"},
  };
  Options(int argc, char** argv);
  const char* Text(const char* name) const;
  double Number(const char* name) const;
  void PrintUsage(std::FILE* to) const;
  [[noreturn]] void WrongUsage(const char* name, const char* found, const char* wanted) const;
};

Options::Options(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0) PrintUsage(stdout), std::exit(0);
    Option* option = table;
    while (option != std::end(table) && std::strcmp(option->name, argv[i]) != 0) ++option;
    if (option == std::end(table)) WrongUsage(argv[i], "no such option", "one of these");
    if (i + 1 == argc) WrongUsage(argv[i], "nothing", "a value");
    option->value = argv[++i];
  }
}

void Options::PrintUsage(std::FILE* to) const {
  std::fprintf(to, "Usage: keras_cifar10 [--NAME VALUE]...\n");
  for (const auto& [name, value, help] : table) std::fprintf(to, "  %-20s %-16s %s\n", name, value, help);
}

void Options::WrongUsage(const char* name, const char* found, const char* wanted) const {
  PrintUsage(stderr);  // first: a job's failure shows the last lines
  std::fprintf(stderr, "keras_cifar10: %s: found %s, wanted %s\n", name, found, wanted);
  std::exit(2);
}

const char* Options::Text(const char* name) const {
  for (const Option& option : table) {
    if (std::strcmp(option.name, name) == 0) return option.value;
  }
  std::abort();  // a name that is not in the table
}

double Options::Number(const char* name) const {
  const char* text = Text(name);
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0') WrongUsage(name, text, "a number");
  return value;
}

// Of a channel that is dealt out to hosts (ShardedByS3Key) those that have come to this one.
std::vector<std::string> FilesOf(const Options& options, const std::string& channel) {
  const std::string option = "--" + channel, directory = options.Text(option.c_str());
  std::vector<std::string> files;
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(directory, none))
    if (file.path().extension() == ".tfrecords") files.push_back(file.path().string());
  if (files.empty()) options.WrongUsage(option.c_str(), directory.c_str(), "a directory with a .tfrecords file");
  std::sort(files.begin(), files.end());
  return files;
}

bool Piped(const std::string& channel) { return data::ChannelInputMode(channel) == "Pipe"; }

data::Dataset Records(const Options& options, const std::string& channel) {
  if (Piped(channel)) return data::PipeModeDataset(channel, "TFRecord");
  return data::Dataset::TFRecord(FilesOf(options, channel));
}

// A host's share is divided among its ranks, what all hosts have among all ranks.
data::Dataset ShareOf(const data::Dataset& records, const std::string& channel, const Ranks& ranks) {
  if (data::ChannelIsSharded(channel)) return records.shard(ranks.local_size, ranks.local_rank);
  return records.shard(ranks.size, ranks.rank);
}

// That `ranks` have together, all of which ask.
int64_t CountRecords(const Options& options, const std::string& channel, const Ranks& ranks) {
  if (Piped(channel)) return static_cast<int64_t>(options.Number(("--" + channel + "-records").c_str()));
  int64_t count = 0;
  for (const auto& file : FilesOf(options, channel))
    for (data::TFRecordReader reader(file); reader.Next();) ++count;
  if (ranks.size == 1 || !data::ChannelIsSharded(channel)) return count;
  const auto counts = hvd::allgather(hvd::Array::Of<int64_t>({ranks.local_rank == 0 ? count : 0})).values<int64_t>();
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

// Augmented batches of a channel without end; every channel is augmented, as in the original. Of several ranks each has
// its share of the records.
data::Dataset Batches(const Options& options, const std::string& channel, uint64_t seed, const Ranks& ranks) {
  const auto batch_size = static_cast<int64_t>(options.Number("--batch-size"));
  auto dataset = ShareOf(Records(options, channel), channel, ranks).repeat().prefetch(10);
  seed += static_cast<uint64_t>(ranks.rank);
  dataset = dataset.map(data::cifar10::ParseAndAugment, {.num_parallel_calls = 10, .seed = seed});
  if (channel == "train") dataset = dataset.shuffle(20000 + 3 * batch_size, {.seed = seed});
  return dataset.batch(batch_size, {.drop_remainder = true});
}

void AddBlock(Sequential& model, int64_t filters, float dropout, const Conv2D& first) {
  model.add(first);
  model.add(BatchNormalization());
  model.add(Activation("relu"));
  model.add(Conv2D(filters, {3, 3}));
  model.add(BatchNormalization());
  model.add(Activation("relu"));
  model.add(MaxPooling2D({2, 2}));
  model.add(Dropout(dropout));
}

Sequential MakeModel(int64_t seed) {
  Sequential model(ModelOptions{.seed = seed});
  AddBlock(model, 32, 0.2f, Conv2D(32, {3, 3}, {.padding = "same", .name = "inputs", .input_shape = {32, 32, 3}}));
  AddBlock(model, 64, 0.3f, Conv2D(64, {3, 3}, {.padding = "same"}));
  AddBlock(model, 128, 0.4f, Conv2D(128, {3, 3}, {.padding = "same"}));
  model.add(Flatten());
  model.add(Dense(512));
  model.add(Activation("relu"));
  model.add(Dropout(0.5f));
  model.add(Dense(10));
  model.add(Activation("softmax"));
  return model;
}

Optimizer MakeOptimizer(const Options& options, const Ranks& ranks) {
  const auto rate = static_cast<float>(options.Number("--learning-rate") * ranks.size);
  const auto decay = static_cast<float>(options.Number("--weight-decay"));
  const auto momentum = static_cast<float>(options.Number("--momentum"));
  const std::string name = options.Text("--optimizer");
  if (name == "sgd") return SGD({.learning_rate = rate, .momentum = momentum, .decay = decay});
  if (name == "rmsprop") return RMSprop({.learning_rate = rate, .decay = decay});
  if (name == "adam") return Adam({.learning_rate = rate, .decay = decay});
  options.WrongUsage("--optimizer", name.c_str(), "adam, sgd or rmsprop");
}

// Where the model that will be hosted goes. SageMaker's SDK hands --model_dir an S3 address, meant for checkpoints.
std::string ModelDirectory(const Options& options) {
  const std::string given = options.Text("--model_dir");
  return given.rfind("s3://", 0) == 0 ? Env("SM_MODEL_DIR", "model") : given;
}

std::vector<CallbackPtr> Callbacks(const Ranks& ranks, const std::string& output) {
  std::vector<CallbackPtr> callbacks;
  if (ranks.size > 1)
    callbacks = {hvd::callbacks::BroadcastGlobalVariablesCallback(0), hvd::callbacks::MetricAverageCallback(),
                 hvd::callbacks::LearningRateWarmupCallback({.warmup_epochs = 5, .verbose = 1})};
  callbacks.push_back(ReduceLROnPlateau({.patience = 10, .verbose = ranks.rank == 0 ? 1 : 0}));
  if (ranks.rank == 0) {
    callbacks.push_back(ModelCheckpoint(output + "/checkpoint-{epoch}.h5"));
    callbacks.push_back(TensorBoard(output));
  }
  return callbacks;
}

void Train(const Options& options) {
  const Ranks ranks = JoinRanks();
  const auto batch_size = static_cast<int64_t>(options.Number("--batch-size"));
  if (batch_size < 1) options.WrongUsage("--batch-size", options.Text("--batch-size"), "1 or more");
  const auto steps = [&](const std::string& channel, const Ranks& among) {
    const int64_t records = CountRecords(options, channel, among);
    if (records < batch_size * among.size)
      options.WrongUsage("--batch-size", options.Text("--batch-size"),
                         (std::to_string(records / among.size) + " or less: " + channel + " has " +
                          std::to_string(records) + " records for " + std::to_string(among.size) + " rank(s)")
                             .c_str());
    return records / batch_size / among.size;
  };

  auto seed = static_cast<int64_t>(options.Number("--seed"));
  if (seed < 0 && ranks.rank > 0) seed = std::time(nullptr);
  if (seed < 0) std::printf("Seed: %lld\n", static_cast<long long>(seed = std::time(nullptr)));

  Sequential model = MakeModel(seed);
  Optimizer optimizer = MakeOptimizer(options, ranks);
  if (ranks.size > 1) optimizer = hvd::DistributedOptimizer(optimizer);
  model.compile(optimizer, "categorical_crossentropy", {"accuracy"},
                {.policy = options.Text("--policy"), .conv_algorithms = options.Text("--conv-algorithms")});
  if (ranks.rank == 0) std::printf("%s", model.summary().c_str());

  const std::string output = options.Text("--output-dir");
  const std::string model_dir = ModelDirectory(options);
  const data::Dataset validation = Batches(options, "validation", seed, ranks);
  model.fit(Batches(options, "train", seed, ranks), {.epochs = static_cast<int>(options.Number("--epochs")),
                                                     .steps_per_epoch = steps("train", ranks),
                                                     .validation_data = &validation,
                                                     .validation_steps = steps("validation", ranks),
                                                     .callbacks = Callbacks(ranks, output)});

  const Ranks alone;  // each rank evaluates all that its host has
  const Logs scores = model.evaluate(Batches(options, "eval", seed, alone), {.steps = steps("eval", alone)});
  if (ranks.rank > 0) return;
  std::printf("Test loss: %g\nTest accuracy: %g\n", scores.At("loss"), scores.At("accuracy"));
  savedmodel::Export(model, model_dir + "/1", {.input_name = "image", .output_name = "scores", .overwrite = true});
  std::printf("Model successfully saved at: %s/1\n", model_dir.c_str());
}

int main(int argc, char** argv) {
  const Options options(argc, argv);
  try {
    Train(options);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "keras_cifar10: %s\n", error.what());
    return 1;
  }
}
