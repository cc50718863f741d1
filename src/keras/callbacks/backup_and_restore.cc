#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "base/file.h"
#include "base/result.h"
#include "keras/callbacks/callbacks.h"
#include "keras/model_state.h"

namespace headrace::keras {
namespace {

namespace fs = std::filesystem;
using internal::TrainingPosition;

// Where training goes on is this callback's state, which the backup keeps with those of the others: one file, which is
// replaced as a whole.
class Backup final : public internal::RestoringCallback {
 public:
  Backup(std::string directory, BackupAndRestoreOptions options)
      : directory_(std::move(directory)), options_(options), path_(fs::path(directory_) / "latest.h5") {
    if (directory_.empty())
      throw MakeError(ErrorCode::kInvalidArgument, "BackupAndRestore: backup_dir: found \"\", wanted a directory");
    if (options_.save_freq < 0)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "BackupAndRestore: save_freq: found {}, wanted a number of batches, or 0 for every epoch",
                      options_.save_freq);
  }

  std::optional<TrainingPosition> Restore() override {
    if (!fs::exists(path_)) return std::nullopt;
    position_ = {};
    model().load_weights(path_);
    internal::RestoreCallbackStates(model().state().training_state, {Self()});
    return position_;
  }

  void on_epoch_begin(int epoch) override { epoch_ = epoch; }

  void on_train_batch_end(int batch, Logs& /*logs*/) override {
    if (options_.save_freq == 0 || ++batches_ < options_.save_freq) return;
    due_ = true;
    if (batch + 1 == params().steps) return;  // the epoch's end comes first: its validation, and what callbacks do
    Save({epoch_, batch + 1});
  }

  void on_epoch_end(int epoch, Logs& /*logs*/) override {
    if (options_.save_freq == 0 || due_) Save({epoch + 1, 0});
  }

  void on_train_end() override {
    if (!options_.delete_checkpoint || !Writes()) return;
    std::error_code ignored;  // what cannot be deleted is overwritten by the next backup
    fs::remove(path_, ignored);
    fs::remove(directory_, ignored);  // only when nothing else is in it
  }

  std::string state() const override {
    return nlohmann::json{{"epoch", position_.epoch}, {"step", position_.step}}.dump();
  }
  void restore_state(const std::string& state) override {
    const auto json = nlohmann::json::parse(state);
    position_ = {json.at("epoch").get<int>(), json.at("step").get<int64_t>()};
    if (position_.epoch < 0 || position_.step < 0)
      throw MakeError(ErrorCode::kDataLoss, "{}: found epoch {}, step {}, wanted 0 or more", path_, position_.epoch,
                      position_.step);
  }

 private:
  CallbackPtr Self() { return CallbackPtr(CallbackPtr(), this); }

  bool Writes() const {
    const internal::GradientExchange* exchange = model().state().exchange();
    return exchange == nullptr || exchange->rank() == 0;
  }

  void Save(TrainingPosition position) {
    due_ = false;
    batches_ = 0;
    position_ = position;
    if (!Writes()) return;
    ValueOrThrow(MakeDirectories(directory_));
    model().save(path_);
  }

  const std::string directory_;
  const BackupAndRestoreOptions options_;
  const std::string path_;
  TrainingPosition position_;
  int epoch_ = 0;
  int64_t batches_ = 0;  // since the last backup
  bool due_ = false;
};

}  // namespace

CallbackPtr BackupAndRestore(std::string backup_dir, BackupAndRestoreOptions options) {
  return std::make_shared<Backup>(std::move(backup_dir), options);
}

}  // namespace headrace::keras
