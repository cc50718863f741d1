// Trains on CIFAR-10's own images as several ranks, each on its shard, or alone on all of them: the combined batches
// hold the same records. Every rank writes its weights, so that test_training.py can compare them.
//
// usage: train_on_shards RECORDS DIRECTORY STEPS [batch-normalization] [late] [fail] [seeds] [shapes] [elastic] [die]
//   late: rank 1 has one batch fewer than the others; fail: its third step throws; seeds, shapes: its model begins from
//   other weights, or is another one; elastic: two epochs, committed every three batches to DIRECTORY/commits; die:
//   rank 1 is killed in the second epoch
// Writes DIRECTORY/weights-RANK-of-SIZE.f32.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "headrace/data.h"
#include "headrace/horovod.h"
#include "headrace/keras.h"

namespace {

using namespace headrace;
using namespace headrace::keras;

constexpr int64_t kBatch = 48;

Sequential MakeModel(bool batch_normalization, int64_t seed, int64_t last_filters) {
  Sequential model(ModelOptions{.seed = seed});
  bool first = true;
  for (const int64_t filters : {int64_t{16}, last_filters}) {
    Conv2DOptions options{.padding = "same", .use_bias = !batch_normalization};
    if (first) options.input_shape = {32, 32, 3};
    first = false;
    model.add(Conv2D(filters, {3, 3}, options));
    if (batch_normalization) model.add(hvd::SyncBatchNormalization());
    model.add(Activation("relu"));
    model.add(MaxPooling2D());
  }
  model.add(Flatten());
  model.add(Dense(64, {.activation = "relu"}));
  model.add(Dense(10, {.activation = "softmax"}));
  return model;
}

// Pixels of 0 to 255 would make the first steps as rough as they can be: rounding would be all there is to compare.
data::Element Scaled(const data::Element& record) {
  const data::Element element = data::cifar10::ParseRecord(record);
  Tensor x = element.x().Cast(DType::kFloat32).Clone();
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = x.data<float>()[i] / 127.5f - 1;
  return {x, element.y()};
}

// Kills this process in a batch.
CallbackPtr DiesIn(int epoch, int batch) {
  const auto at = std::make_shared<int>(0);
  return LambdaCallback({.on_epoch_begin = [at](int now) { *at = now; },
                         .on_train_batch_begin =
                             [at, epoch, batch](int now) {
                               if (*at == epoch && now == batch) std::raise(SIGKILL);
                             }});
}

void Write(const Model& model, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  for (const auto& weight : model.weights())
    file.write(static_cast<const char*>(weight->value.raw()), static_cast<std::streamsize>(weight->value.bytes()));
}

void Train(const std::string& records, const std::string& directory, int64_t steps, const std::set<std::string>& what) {
  const int rank = hvd::rank(), size = hvd::size();
  const bool odd = rank == 1;
  Sequential model = MakeModel(what.count("batch-normalization") > 0, what.count("seeds") && odd ? 8 : 7,
                               what.count("shapes") && odd ? 24 : 32);
  model.compile(hvd::DistributedOptimizer(SGD({.learning_rate = 0.02f, .momentum = 0.9f})), "categorical_crossentropy",
                {"accuracy"}, {.conv_algorithms = "direct"});
  const int64_t batches = what.count("late") && odd ? steps - 1 : steps;
  const auto data = data::Dataset::TFRecord({records})
                        .take(steps * kBatch)
                        .shard(size, rank)
                        .map(Scaled)
                        .batch(kBatch / size)
                        .take(batches);
  std::vector<CallbackPtr> callbacks = {hvd::callbacks::MetricAverageCallback()};
  if (!what.count("seeds")) callbacks.insert(callbacks.begin(), hvd::callbacks::BroadcastGlobalVariablesCallback(0));
  if (what.count("fail") && odd)
    callbacks.push_back(LambdaCallback({.on_train_batch_begin = [](int batch) {
      if (batch == 2) throw std::runtime_error("record 7 is corrupt");
    }}));
  History history;
  if (what.count("elastic")) {
    if (what.count("die") && odd) callbacks.push_back(DiesIn(1, 5));
    hvd::elastic::KerasState state(model, directory + "/commits");
    const auto train = [&](hvd::elastic::KerasState& at) {
      if (rank == 0) std::printf("from epoch %d, batch %ld\n", at.epoch(), static_cast<long>(at.batch()));
      callbacks.push_back(hvd::elastic::CommitStateCallback(at, 3));
      history = model.fit(
          data,
          {.epochs = 2, .initial_epoch = at.epoch(), .initial_step = at.batch(), .callbacks = callbacks, .verbose = 2});
    };
    hvd::elastic::run(train, state);
  } else {
    history = model.fit(data, {.epochs = 1, .callbacks = callbacks, .verbose = 2});
  }
  Write(model, directory + "/weights-" + std::to_string(rank) + "-of-" + std::to_string(size) + ".f32");
  std::printf("rank %d: loss %.9g accuracy %.9g\n", rank, history["loss"].back(), history["accuracy"].back());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    hvd::init();
    Train(argv[1], argv[2], std::stol(argv[3]), {argv + 4, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::printf("rank %d: error: %s\n", hvd::is_initialized() ? hvd::rank() : -1, error.what());
    return 1;
  }
}
