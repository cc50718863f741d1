#include "jobs/supervisor/job_inputs.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/supervisor/failure_reason.h"

namespace headrace::jobs {

Status JobInputs::Stage() const {
  for (const auto& channel : context_.job.channels) {
    if (channel.manifest) HEADRACE_TRY(StageManifest(channel));
    if (channel.mode == "Pipe") continue;
    HEADRACE_TRY(channel.mode == "FastFile" && context_.view.sandboxed() ? LinkChannel(channel)
                                                                         : StageChannel(channel));
  }
  return StageCheckpoints();
}

StagingOptions JobInputs::Options() const {
  return {.threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()) * 2, 2, 16),
          .scratch = context_.directory.scratch(),
          .cancelled = [this] { return context_.stop.Requested(); }};
}

Status JobInputs::StageChannel(const InputChannel& channel) const {
  const auto begin = context_.clock.Now();
  HEADRACE_ASSIGN(const auto totals,
                  StageFiles(channel.objects, context_.directory.ml() + "/input/data/" + channel.name, Options()));
  const auto kept = totals.kept == 0 ? "" : fmt::format(", {} of them from an earlier attempt", totals.kept);
  context_.reporter.Say("channel {}: {} files, {} in {} ms{}", channel.name, totals.files, FormatBytes(totals.bytes),
                        context_.clock.Now() - begin, kept);
  return {};
}

Status JobInputs::StageManifest(const InputChannel& channel) const {
  InputObject manifest = *channel.manifest;
  manifest.name = channel.name + "-manifest";
  HEADRACE_ASSIGN([[maybe_unused]] const auto totals,
                  StageFiles({manifest}, context_.directory.ml() + "/input/data", Options()));
  return {};
}

// FastFile: nothing is copied; the program sees the objects themselves, read-only.
Status JobInputs::LinkChannel(const InputChannel& channel) const {
  const auto target = context_.directory.ml() + "/input/data/" + channel.name,
             links = context_.directory.host() + "/fastfile/" + channel.name;
  HEADRACE_TRY(MakeDirectories(target));
  HEADRACE_TRY(MakeDirectories(links));
  std::vector<InputObject> to_copy;
  for (const auto& object : channel.objects) {
    if (!IsSafeRelativePath(object.name))
      return Fail(ErrorCode::kInvalidArgument, "the object {} cannot be a file: its name below the prefix is '{}'",
                  object.key, object.name);
    const auto path = links + "/" + object.name;
    HEADRACE_TRY(MakeDirectories(std::filesystem::path(path).parent_path()));
    if (::link(object.blob.c_str(), path.c_str()) != 0 && errno != EEXIST) to_copy.push_back(object);
  }
  HEADRACE_ASSIGN(const auto totals, StageFiles(to_copy, links, Options()));
  context_.view.Show(links, context_.view.ml() + "/input/data/" + channel.name, false);
  context_.reporter.Say("channel {}: {} files to be read on demand ({} copied)", channel.name, channel.objects.size(),
                        totals.files);
  return {};
}

Status JobInputs::StageCheckpoints() const {
  const auto& checkpoints = context_.job.checkpoints;
  if (!checkpoints) return {};
  const auto& path = checkpoints->path;
  std::string place = context_.directory.ml() + "/checkpoints";
  if (path.starts_with("/opt/ml/") && IsSafeRelativePath(path.substr(8))) {
    place = context_.directory.ml() + "/" + path.substr(8);
  } else if (context_.view.sandboxed()) {
    place = context_.directory.host() + "/checkpoints";
    context_.view.Show(place, path, true);
  }
  HEADRACE_ASSIGN(const auto totals, StageFiles(checkpoints->objects, place, Options()));
  if (totals.files > 0)
    context_.reporter.Say("checkpoints: {} files, {} restored to {}", totals.files, FormatBytes(totals.bytes), path);
  return {};
}

}  // namespace headrace::jobs
