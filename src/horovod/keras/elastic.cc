// hvd::elastic: commits in files, for a group that is started again as a whole.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "headrace/horovod.h"

#include "base/result.h"
#include "horovod/keras/callbacks.h"
#include "horovod/world.h"
#include "keras/callbacks/callbacks.h"
#include "keras/model_state.h"

namespace headrace::hvd {
namespace {

namespace fs = std::filesystem;

struct Commit {
  int64_t epoch = 0, batch = 0;
  auto operator<=>(const Commit&) const = default;
};

std::string FileName(const Commit& commit) { return fmt::format("elastic-{}-{}.h5", commit.epoch, commit.batch); }

// Nothing for a file that FileName() has not named.
std::optional<Commit> ParseFileName(std::string_view name) {
  constexpr std::string_view kPrefix = "elastic-";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  Commit commit;
  const char* const end = name.data() + name.size();
  const auto [dash, epoch_error] = std::from_chars(name.data() + kPrefix.size(), end, commit.epoch);
  if (epoch_error != std::errc() || dash == end || *dash != '-') return std::nullopt;
  const auto [rest, batch_error] = std::from_chars(dash + 1, end, commit.batch);
  if (batch_error != std::errc() || name != FileName(commit)) return std::nullopt;
  if (commit.epoch < 0 || commit.epoch > std::numeric_limits<int>::max() || commit.batch < 0) return std::nullopt;
  return commit;
}

std::vector<Commit> CommitsIn(const fs::path& directory) {
  std::vector<Commit> commits;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (const auto commit = ParseFileName(at->path().filename().string())) commits.push_back(*commit);
  std::sort(commits.begin(), commits.end());
  return commits;
}

void Broadcast(Communicator& communicator, const std::string& name, void* values, int64_t bytes) {
  if (bytes == 0) return;
  Collective collective{.type = CollectiveType::kBroadcast, .name = name, .dtype = DataType::kUInt8};
  collective.shape = {bytes};
  collective.input = collective.output = values;
  ValueOrThrow(Run(communicator, std::move(collective)));
}

}  // namespace

struct elastic::KerasState::Impl {
  keras::Model model;
  fs::path directory;
  Commit next = {};

  std::string PathOf(const Commit& commit) const { return (directory / FileName(commit)).string(); }
};

namespace elastic {

KerasState::KerasState(keras::Model model, std::string directory)
    : impl_(std::make_shared<Impl>(Impl{std::move(model), std::move(directory)})) {
  if (impl_->directory.empty())
    throw MakeError(ErrorCode::kInvalidArgument,
                    "elastic: found no directory, wanted one that outlives the job's attempts");
}

int KerasState::epoch() const { return static_cast<int>(impl_->next.epoch); }
int64_t KerasState::batch() const { return impl_->next.batch; }

void KerasState::commit(int epoch, int64_t batch) {
  impl_->next = {epoch, batch};
  if (World().place().rank != 0) return;
  std::error_code error;
  fs::create_directories(impl_->directory, error);
  if (error)
    throw MakeError(ErrorCode::kUnavailable, "elastic: directory {}: {}", impl_->directory.string(), error.message());
  impl_->model.save(impl_->PathOf(impl_->next));
  for (const Commit& other : CommitsIn(impl_->directory))
    if (other != impl_->next) fs::remove(impl_->PathOf(other), error);
}

bool KerasState::restore() {
  Communicator& communicator = World();
  keras::internal::ModelState& state = impl_->model.state();
  int64_t position[4] = {0, 0, 0, 0};  // found, epoch, batch, bytes of the callbacks' states
  if (communicator.place().rank == 0) {
    if (const auto commits = CommitsIn(impl_->directory); !commits.empty()) {
      impl_->model.load_weights(impl_->PathOf(commits.back()));
      position[0] = 1;
      std::tie(position[1], position[2]) = std::tie(commits.back().epoch, commits.back().batch);
      position[3] = static_cast<int64_t>(state.training_state.size());
    }
  }
  Broadcast(communicator, "elastic.position", position, sizeof(position));
  if (position[0] == 0) return false;
  impl_->next = {position[1], position[2]};
  state.training_state.resize(static_cast<size_t>(position[3]));
  Broadcast(communicator, "elastic.callbacks", state.training_state.data(), position[3]);
  BroadcastModel(communicator, impl_->model, 0);
  return true;
}

void run(const std::function<void(KerasState&)>& train, KerasState& state) {
  state.restore();
  train(state);
}

namespace {

// Behind the other callbacks, whose states the file holds.
class CommitCallback final : public keras::internal::CheckpointCallback {
 public:
  CommitCallback(KerasState state, int64_t batches_per_commit)
      : state_(std::move(state)), batches_per_commit_(batches_per_commit) {}

  void on_epoch_begin(int epoch) override { epoch_ = epoch; }
  void on_train_batch_end(int batch, keras::Logs& /*logs*/) override {
    const bool last = batch + 1 == params().steps;  // the epoch's end commits
    if (!last && (batch + 1) % batches_per_commit_ == 0) state_.commit(epoch_, batch + 1);
  }
  void on_epoch_end(int epoch, keras::Logs& /*logs*/) override { state_.commit(epoch + 1, 0); }

 private:
  KerasState state_;
  const int64_t batches_per_commit_;
  int epoch_ = 0;
};

}  // namespace

keras::CallbackPtr CommitStateCallback(KerasState& state, int64_t batches_per_commit) {
  if (batches_per_commit < 1)
    throw MakeError(ErrorCode::kInvalidArgument, "CommitStateCallback: batches_per_commit: found {}, wanted 1 or more",
                    batches_per_commit);
  return std::make_shared<CommitCallback>(state, batches_per_commit);
}

}  // namespace elastic
}  // namespace headrace::hvd
