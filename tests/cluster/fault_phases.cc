// Trains a small model as several ranks, with what programs do around their steps, and lets one rank fail at a chosen
// place. A program of mpirun's, and the source of training jobs: it needs public headers alone.
//
// usage: fault_phases --directory D [--at init|step|checkpoint|export|shutdown --rank R --how kill|stop|wait]
//                     [--elastic 1] [--marker M]
//   kill and stop: the rank does it to itself (SIGKILL, SIGSTOP), where it says "fault: …"; in checkpoint and export
//   while the file is being written, by rank 0. wait: it only takes its time there (two seconds), for the test to do
//   something.
//   --elastic 1: commits to D/checkpoints every two batches; the fault happens in the first attempt only.
// Writes D/checkpoints (rank 0), D/model/1 (rank 0) and D/model/weights-RANK.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "headrace/data.h"
#include "headrace/horovod.h"
#include "headrace/keras.h"
#include "headrace/savedmodel.h"

namespace {

using namespace headrace;
using namespace headrace::keras;
namespace fs = std::filesystem;

constexpr int kEpochs = 3, kSteps = 6;
constexpr int64_t kBatch = 8, kFeatures = 32, kClasses = 4;

// What goes wrong, where, and with which rank.
class Fault {
 public:
  Fault(std::string at, std::string how, bool mine) : at_(std::move(at)), how_(std::move(how)), mine_(mine) {}

  bool IsAt(const std::string& place) const { return mine_ && at_ == place; }
  void Disarm() { mine_ = false; }

  void At(const std::string& place) const {
    if (IsAt(place)) Happen();
  }

  // While something new is being written to `directory`: another thread sees it come.
  void During(const std::string& place, const fs::path& directory) const {
    if (!IsAt(place)) return;
    if (how_ == "wait") return Happen();
    fs::create_directories(directory);
    const auto before = Names(directory);
    std::thread([this, directory, before] {
      while (Names(directory) == before) std::this_thread::yield();
      Happen();
    }).detach();
  }

 private:
  static std::set<std::string> Names(const fs::path& directory) {
    std::set<std::string> names;
    std::error_code ignored;
    for (fs::directory_iterator at(directory, ignored), end; !ignored && at != end; at.increment(ignored))
      names.insert(at->path().filename());
    return names;
  }

  void Happen() const {
    std::printf("fault: %s at %s\n", how_.c_str(), at_.c_str());
    std::fflush(stdout);
    if (how_ == "wait") return std::this_thread::sleep_for(std::chrono::seconds(2));
    std::raise(how_ == "kill" ? SIGKILL : SIGSTOP);
  }

  const std::string at_, how_;
  bool mine_;
};

// Large enough to be written for some milliseconds.
Sequential MakeModel() {
  Sequential model(ModelOptions{.seed = 3});
  model.add(Dense(1500, {.activation = "relu", .input_shape = {kFeatures}}));
  model.add(Dense(1000, {.activation = "relu"}));
  model.add(Dense(kClasses, {.activation = "softmax"}));
  return model;
}

data::Dataset Records(int rank, int size) {
  Tensor x(DType::kFloat32, {kSteps * kBatch, kFeatures}), y(DType::kFloat32, {kSteps * kBatch, kClasses});
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5f;
  for (int64_t i = 0; i < y.size(); ++i) y.data<float>()[i] = i / kClasses % kClasses == i % kClasses ? 1.0f : 0.0f;
  return data::Dataset::FromTensors(x, y).shard(size, rank).batch(kBatch / size);
}

// What a rank does at the epochs' ends, and where it may fail on the way.
CallbackPtr Around(Fault& fault, const Model& model, const fs::path& checkpoints, bool saves) {
  const auto epoch = std::make_shared<int>(0);
  return LambdaCallback({.on_epoch_begin = [epoch](int now) { *epoch = now; },
                         .on_epoch_end =
                             [&fault, model, checkpoints, saves](int now, Logs&) mutable {
                               if (!saves) return;
                               fs::create_directories(checkpoints);
                               if (now == 1) fault.During("checkpoint", checkpoints);
                               model.save((checkpoints / ("epoch-" + std::to_string(now) + ".h5")).string());
                             },
                         .on_train_batch_begin =
                             [&fault, epoch](int batch) {
                               if (*epoch == 1 && batch == 3) fault.At("step");
                             }});
}

void Train(Fault& fault, Model& model, const fs::path& directory, bool elastic) {
  const auto data = Records(hvd::rank(), hvd::size());
  const bool saves = hvd::rank() == 0 && !elastic;
  std::vector<CallbackPtr> callbacks = {hvd::callbacks::BroadcastGlobalVariablesCallback(0),
                                        Around(fault, model, directory / "checkpoints", saves)};
  if (!elastic) {
    model.fit(data, {.epochs = kEpochs, .callbacks = callbacks, .verbose = 2});
    return;
  }
  hvd::elastic::KerasState state(model, (directory / "checkpoints").string());
  hvd::elastic::run(
      [&](hvd::elastic::KerasState& at) {
        std::printf("rank %d: from epoch %d, batch %ld\n", hvd::rank(), at.epoch(), static_cast<long>(at.batch()));
        if (at.epoch() > 0 || at.batch() > 0) fault.Disarm();
        callbacks.push_back(hvd::elastic::CommitStateCallback(at, 2));
        model.fit(data, {.epochs = kEpochs,
                         .initial_epoch = at.epoch(),
                         .initial_step = at.batch(),
                         .callbacks = callbacks,
                         .verbose = 2});
      },
      state);
}

void WriteWeights(const Model& model, const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  for (const auto& weight : model.weights())
    file.write(static_cast<const char*>(weight->value.raw()), static_cast<std::streamsize>(weight->value.bytes()));
}

void Run(std::map<std::string, std::string> options) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  const fs::path directory = options["--directory"];
  Fault fault(options["--at"], options["--how"], rank != nullptr && options["--rank"] == rank);
  fault.At("init");
  hvd::init();
  auto model = MakeModel();
  model.compile(hvd::DistributedOptimizer(SGD({.learning_rate = 0.05f, .momentum = 0.9f})), "categorical_crossentropy");
  Train(fault, model, directory, options.count("--elastic") > 0);
  WriteWeights(model, directory / "model" / ("weights-" + std::to_string(hvd::rank())));
  if (hvd::rank() == 0) {
    fault.During("export", directory / "model");
    savedmodel::Export(model, (directory / "model/1").string());
  }
  fault.At("shutdown");
  hvd::shutdown();
  std::printf("rank %s: done\n", rank);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  try {
    Run(std::move(options));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
