#include <optional>
#include <utility>

#include "headrace/keras.h"

#include "keras/callbacks/callbacks.h"
#include "keras/callbacks/event_file.h"

namespace headrace::keras {
namespace {

// The runs `train` and `validation`, tags and steps (the epoch) of Keras 3's TensorBoard callback.
class TensorBoardLog final : public internal::BuiltInCallback {
 public:
  explicit TensorBoardLog(std::string log_dir) : log_dir_(std::move(log_dir)) {}

  void on_train_begin() override { started_ = false; }

  void on_epoch_begin(int epoch) override {
    if (std::exchange(started_, true)) return;
    train_.emplace(log_dir_ + "/train");
    train_->AddStart(epoch);
    train_->Flush();
    first_epoch_ = epoch;
  }

  void on_epoch_end(int epoch, Logs& logs) override {
    for (const auto& [name, value] : logs) {
      const bool validation = name.rfind("val_", 0) == 0;
      Run(validation).AddScalar("epoch_" + name.substr(validation ? 4 : 0), epoch, static_cast<float>(value));
    }
    train_->AddScalar("epoch_learning_rate", epoch, model().optimizer().learning_rate());
    train_->Flush();  // whoever watches sees the epoch now
    if (validation_) validation_->Flush();
  }

  void on_train_end() override {
    train_.reset();
    validation_.reset();
  }

 private:
  internal::EventFile& Run(bool validation) {
    if (!validation) return *train_;
    if (!validation_) {  // made only when there is something to show
      validation_.emplace(log_dir_ + "/validation");
      validation_->AddStart(first_epoch_);
    }
    return *validation_;
  }

  const std::string log_dir_;
  bool started_ = false;
  int first_epoch_ = 0;
  std::optional<internal::EventFile> train_, validation_;
};

}  // namespace

CallbackPtr TensorBoard(std::string log_dir) { return std::make_shared<TensorBoardLog>(std::move(log_dir)); }

}  // namespace headrace::keras
