// BroadcastGlobalVariablesCallback.
#include <cstring>
#include <string>
#include <vector>

#include "base/result.h"
#include "horovod/comparison.h"
#include "horovod/keras/callbacks.h"
#include "keras/callbacks/callbacks.h"
#include "keras/model_state.h"
#include "keras/optimizer_state.h"

namespace headrace::hvd {
namespace {

class BroadcastCallback final : public keras::internal::BuiltInCallback {
 public:
  BroadcastCallback(Communicator& communicator, int root_rank) : communicator_(communicator), root_rank_(root_rank) {}
  void on_train_begin() override { BroadcastModel(communicator_, model(), root_rank_); }

 private:
  Communicator& communicator_;
  const int root_rank_;
};

// A value of the model or its optimizer.
struct Part {
  std::string name;
  void* data = nullptr;
  size_t bytes = 0;
};

std::vector<Part> PartsOf(keras::Model& model) {
  std::vector<Part> parts;
  for (const auto& weight : model.weights())
    parts.push_back({weight->name, weight->value.raw(), weight->value.bytes()});
  model.state().EnsureSlots();
  keras::internal::OptimizerState& optimizer = *model.state().compiled->optimizer.state();
  const auto trainable = model.state().TrainableWeights();
  for (keras::internal::Slot& slot : optimizer.slots)
    for (size_t i = 0; i < slot.values.size(); ++i)
      parts.push_back({slot.name + " of " + trainable[i]->name, slot.values[i].raw(), slot.values[i].bytes()});
  parts.push_back({"iterations", &optimizer.iterations, sizeof(optimizer.iterations)});
  parts.push_back({"learning_rate", &optimizer.learning_rate, sizeof(optimizer.learning_rate)});
  return parts;
}

}  // namespace

// All of it travels as one.
void BroadcastModel(Communicator& communicator, keras::Model& model, int root_rank) {
  if (communicator.place().size == 1) return;
  const std::vector<Part> parts = PartsOf(model);
  std::vector<Fact> entries;
  size_t bytes = 0;
  for (const Part& part : parts) {
    entries.push_back({part.name, fmt::format("{} bytes", part.bytes)});
    bytes += part.bytes;
  }
  ValueOrThrow(CompareAcrossRanks(communicator, "keras.broadcast", entries,
                                  "; every rank builds the same model and compiles it the same way"));
  std::vector<std::byte> all(bytes);
  const bool is_root = communicator.place().rank == root_rank;
  size_t at = 0;
  for (const Part& part : parts) {
    if (is_root) std::memcpy(all.data() + at, part.data, part.bytes);
    at += part.bytes;
  }
  Collective collective{.type = CollectiveType::kBroadcast, .name = "keras.variables", .dtype = DataType::kUInt8};
  collective.shape = {static_cast<int64_t>(bytes)};
  collective.input = collective.output = all.data();
  collective.root = root_rank;
  ValueOrThrow(Run(communicator, std::move(collective)));
  at = 0;
  for (const Part& part : parts) {
    std::memcpy(part.data, all.data() + at, part.bytes);
    at += part.bytes;
  }
}

keras::CallbackPtr MakeBroadcastCallback(Communicator& communicator, int root_rank) {
  if (root_rank < 0 || root_rank >= communicator.place().size)
    throw MakeError(ErrorCode::kInvalidArgument,
                    "BroadcastGlobalVariablesCallback: root_rank: found {}, wanted 0 <= root_rank < {}", root_rank,
                    communicator.place().size);
  return std::make_shared<BroadcastCallback>(communicator, root_rank);
}

}  // namespace headrace::hvd
