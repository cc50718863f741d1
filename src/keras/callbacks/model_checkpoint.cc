#include <filesystem>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "base/file.h"
#include "keras/callbacks/callbacks.h"
#include "keras/callbacks/monitor.h"
#include "keras/callbacks/python_format.h"
#include "keras/console.h"
#include "keras/hdf5/model_config.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

using internal::Print;

class Checkpoint final : public internal::CheckpointCallback {
 public:
  Checkpoint(std::string filepath, ModelCheckpointOptions options, std::function<void(const std::string&)> save)
      : filepath_(std::move(filepath)),
        options_(std::move(options)),
        save_(std::move(save)),
        monitor_("ModelCheckpoint", options_.monitor, options_.mode),
        fields_(internal::CheckPathFormat(filepath_)) {
    if (!save_) internal::RequireHdf5Name("ModelCheckpoint", filepath_);
  }

  void on_epoch_end(int epoch, Logs& logs) override {
    const std::string path = internal::FormatPath(filepath_, epoch + 1, logs);
    if (!ShouldSave(epoch, logs, path)) return;
    const std::string directory = std::filesystem::path(path).parent_path();
    if (!directory.empty()) ValueOrThrow(MakeDirectories(directory));
    Save(path);
    Say(epoch, "finished saving model to " + path);
  }

  std::string state() const override { return nlohmann::json{{"best", monitor_.State()}}.dump(); }
  void restore_state(const std::string& state) override { monitor_.Restore(nlohmann::json::parse(state).at("best")); }

 private:
  void CheckLogs(const internal::ExpectedLogs& expected) const override {
    // Throws for what no file can keep, before epochs are trained for nothing.
    if (!save_ && !options_.save_weights_only) internal::hdf5::ModelConfig(model().state());
    if (options_.save_best_only) monitor_.Check(expected);
    if (expected.complete) internal::FormatPath(filepath_, 1, expected.logs);
    for (const std::string& field : fields_)
      if (expected.logs.Find(field) == nullptr)
        internal::Warn(fmt::format(
            "ModelCheckpoint: the path \"{}\" has the field {{{}}}, which nothing but a callback of your own can put "
            "into the logs: without it, the first epoch ends in an error",
            filepath_, field));
  }

  bool ShouldSave(int epoch, const Logs& logs, const std::string& path) {
    if (!options_.save_best_only) {
      Say(epoch, "saving model to " + path);
      return true;
    }
    const double* value = monitor_.Read(logs);
    if (value == nullptr) return true;  // better a checkpoint too many than none at all
    const auto& best = monitor_.best();
    const std::string best_text = best ? fmt::format("{:.5f}", *best) : "None";
    if (!monitor_.Improves(*value)) {
      Say(epoch, fmt::format("{} did not improve from {}", monitor_.name(), best_text));
      return false;
    }
    Say(epoch,
        fmt::format("{} improved from {} to {:.5f}, saving model to {}", monitor_.name(), best_text, *value, path));
    monitor_.set_best(*value);  // before saving: the file holds it
    return true;
  }

  void Save(const std::string& path) {
    if (save_) {
      save_(path);
    } else if (options_.save_weights_only) {
      model().save_weights(path);
    } else {
      model().save(path);
    }
  }

  void Say(int epoch, const std::string& what) const {
    if (options_.verbose > 0) Print(fmt::format("\nEpoch {}: {}\n", epoch + 1, what));
  }

  const std::string filepath_;
  const ModelCheckpointOptions options_;
  const std::function<void(const std::string&)> save_;
  internal::Monitor monitor_;
  const std::vector<std::string> fields_;  // of the path, epoch aside
};

}  // namespace

CallbackPtr ModelCheckpoint(std::string filepath, ModelCheckpointOptions options) {
  return internal::ModelCheckpointWith(std::move(filepath), std::move(options), nullptr);
}

CallbackPtr internal::ModelCheckpointWith(std::string filepath, ModelCheckpointOptions options,
                                          std::function<void(const std::string&)> save) {
  return std::make_shared<Checkpoint>(std::move(filepath), std::move(options), std::move(save));
}

}  // namespace headrace::keras
