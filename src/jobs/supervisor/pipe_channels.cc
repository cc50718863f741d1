#include "jobs/supervisor/pipe_channels.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {
namespace {

std::shared_ptr<const PipeContent> ContentOf(const InputChannel& channel) {
  auto content = std::make_shared<PipeContent>();
  for (const auto& object : channel.objects) content->parts.push_back({object.blob, object.literal, object.key});
  content->parts_per_entry = channel.data_type == "AugmentedManifestFile"
                                 ? static_cast<uint32_t>(std::max<size_t>(channel.attributes.size(), 1))
                                 : 1;
  content->gunzip = channel.compression == "Gzip";
  content->record_io = channel.record_wrapper == "RecordIO";
  return content;
}

}  // namespace

Status PipeChannels::Start() {
  for (const auto& channel : job_.channels) {
    if (channel.mode != "Pipe") continue;
    HEADRACE_ASSIGN(auto feeder, StartFeeder(channel));
    names_.push_back(channel.name);
    feeders_.push_back(std::move(feeder));
  }
  return {};
}

Result<std::unique_ptr<PipeFeeder>> PipeChannels::StartFeeder(const InputChannel& channel) {
  PipeFeederOptions options;
  options.channel = channel.name;
  // Packages that were installed may have put anything below /opt/ml.
  HEADRACE_ASSIGN(auto ml, directory_.OpenMl());
  options.below = std::make_shared<const HeldDirectory>(std::move(ml));
  options.directory = "input/data";
  options.state_directory = "pipe_state";
  options.content = ContentOf(channel);
  if (channel.shuffle_seed) options.order.shuffle_seed = static_cast<uint64_t>(*channel.shuffle_seed);
  if (channel.distribution == "ShardedByS3Key") {
    options.order.shard_index = channel.share.index;
    options.order.shard_count = channel.share.count;
  }
  options.on_event = [this](const PipeEvent& event) {
    if (event.kind != PipeEvent::Kind::kFailed) return;
    const std::lock_guard lock(mutex_);
    if (failure_.empty())
      failure_ = fmt::format("ClientError: the channel '{}' in Pipe mode, epoch {}: {}", event.channel, event.epoch,
                             event.message);
  };
  return PipeFeeder::Start(std::move(options));
}

std::string PipeChannels::Watch() {
  if (feeders_.empty()) return "";
  if (const auto now = steady_.Now(); now >= next_status_) {
    next_status_ = now + 1000;
    WriteStatus();
  }
  const std::lock_guard lock(mutex_);
  return failure_;
}

void PipeChannels::Stop() {
  for (const auto& feeder : feeders_) feeder->Stop();
  if (!feeders_.empty()) WriteStatus();
  for (size_t i = 0; i < feeders_.size(); ++i) {
    const auto counts = feeders_[i]->counts();
    reporter_.Say("channel {}: {} epochs streamed ({} closed early), {}", names_[i], counts.epochs_ended,
                  counts.early_closes, FormatBytes(counts.bytes));
  }
  feeders_.clear();
}

void PipeChannels::WriteStatus() const {
  nlohmann::json status = {{"t", clock_.Now()}, {"job", job_.job_name}, {"channels", nlohmann::json::array()}};
  for (size_t i = 0; i < feeders_.size(); ++i) {
    const auto counts = feeders_[i]->counts();
    status["channels"].push_back({{"channel", names_[i]},
                                  {"epochs_started", counts.epochs_started},
                                  {"epochs_ended", counts.epochs_ended},
                                  {"early_closes", counts.early_closes},
                                  {"bytes", counts.bytes},
                                  {"open_seconds", counts.open_seconds}});
  }
  // For those who look; nothing depends on it.
  [[maybe_unused]] const auto written =
      WriteFileAtomically(directory_.attempt(job_.attempt) + "/pipes.json", status.dump());
}

}  // namespace headrace::jobs
