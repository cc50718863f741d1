// DistributedExchange: a model's gradients over a Communicator. They lie in memory that the ranks of the machine share
// and leave in buckets while backward runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headrace/horovod.h"

#include "horovod/communicator.h"
#include "horovod/comparison.h"
#include "horovod/keras/buckets.h"
#include "horovod/keras/step_trace.h"
#include "keras/gradient_exchange.h"
#include "keras/optimizer_state.h"

namespace headrace::hvd {

// Bytes of a bucket unless HOROVOD_FUSION_THRESHOLD says less: small enough that most of a CNN's gradients are on their
// way before backward ends, large enough that a message costs less than its bytes.
constexpr int64_t kBucketBytes = 256 << 10;

// A model may outlive hvd::shutdown().
using FindCommunicator = std::function<Communicator&()>;

struct ExchangeOptions {
  DistributedOptimizerOptions optimizer;
  int64_t bucket_bytes = kBucketBytes;
  Timeline* timeline = nullptr;  // outlives the model; null: none
};

class DistributedExchange : public keras::internal::GradientExchange {
 public:
  // `communicator` throws once the ranks have parted. `optimizer`: whose learning rate and iterations all ranks must
  // have in common.
  DistributedExchange(FindCommunicator communicator, ExchangeOptions options,
                      std::weak_ptr<const keras::internal::OptimizerState> optimizer);
  ~DistributedExchange() override;

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  Tensor Connect(const std::vector<keras::VariablePtr>& trainable) override;
  void BeginTraining(const keras::internal::FitPlan& plan) override;
  std::string OfFirstRank(const std::string& mine) override;
  void GradientReady(size_t variable) override;
  Outcome FinishStep(bool trained) override;
  void Gather(const float* mine, int64_t count, float* all) override;
  bool AnyStops(bool stop) override;
  void Abort(const std::string& text) noexcept override;

 private:
  struct Gathering;  // what Gather() of one count needs

  std::vector<Fact> Entries(const std::vector<keras::VariablePtr>& trainable) const;
  PlanOptions Options() const;
  // Whether the step's gradients go to the other ranks; else they are kept.
  bool Exchanges() const { return pass_ + 1 >= options_.optimizer.backward_passes_per_step; }
  void Keep(size_t variable);
  void StartReadyBuckets();
  void StartBucket(size_t bucket);
  // Looks whether buckets that are under way have arrived, which also does a part of their work.
  void FollowBuckets();
  void AwaitBuckets();
  // For those who wait for this rank: what it has done of the step that is under way.
  void Tell(const char* done);
  // The plan counts from the first variable, the buckets from the last one.
  size_t PlansNumber(size_t bucket) const { return buckets_ - 1 - bucket; }

  const FindCommunicator communicator_;
  const Place place_;
  const ExchangeOptions options_;
  std::weak_ptr<const keras::internal::OptimizerState> optimizer_;
  std::vector<keras::VariablePtr> trainable_;
  std::vector<int64_t> offsets_;
  // One block of 64 bytes whose first number says whether this rank trained, then the packed gradients.
  std::unique_ptr<SharedMemory> memory_;
  float* trained_ = nullptr;
  float* gradients_ = nullptr;
  std::vector<float> kept_;  // sums of the passes that have not been exchanged
  int pass_ = 0;
  bool trained_since_exchange_ = false;
  int64_t steps_ = 0;  // that have been exchanged
  size_t buckets_ = 0;
  size_t arrived_ = 0;  // of the step's buckets, in order
  std::unique_ptr<BucketProgress> progress_;
  std::unique_ptr<Plan> plan_;
  std::optional<std::string> of_first_rank_;
  StepTrace trace_;
  std::map<int64_t, std::unique_ptr<Gathering>> gatherings_;
};

}  // namespace headrace::hvd
