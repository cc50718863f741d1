#include "jobs/supervisor/job_inputs.h"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "jobs/directory/checkpoint_place.h"
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
  const auto begin = context_.steady.Now();
  HEADRACE_ASSIGN(const auto ml, context_.directory.OpenMl());
  HEADRACE_ASSIGN(const auto target, ml.MakeDirectories("input/data/" + channel.name));
  HEADRACE_ASSIGN(const auto totals, StageFiles(channel.objects, target, Options()));
  const auto kept = totals.kept == 0 ? "" : fmt::format(", {} of them from an earlier attempt", totals.kept);
  context_.reporter.Say("channel {}: {} files, {} in {} ms{}", channel.name, totals.files, FormatBytes(totals.bytes),
                        context_.steady.Now() - begin, kept);
  return {};
}

Status JobInputs::StageManifest(const InputChannel& channel) const {
  InputObject manifest = *channel.manifest;
  manifest.name = channel.name + "-manifest";
  HEADRACE_ASSIGN(const auto ml, context_.directory.OpenMl());
  HEADRACE_ASSIGN(const auto data, ml.MakeDirectories("input/data"));
  HEADRACE_ASSIGN([[maybe_unused]] const auto totals, StageFiles({manifest}, data, Options()));
  return {};
}

// FastFile: nothing is copied; the program sees the objects themselves, read-only.
Status JobInputs::LinkChannel(const InputChannel& channel) const {
  HEADRACE_ASSIGN(const auto host, context_.directory.OpenFiles());
  HEADRACE_TRY(host.MakeDirectories("ml/input/data/" + channel.name));
  HEADRACE_ASSIGN(const auto links, host.MakeDirectories("fastfile/" + channel.name));
  std::vector<InputObject> to_copy;
  for (const auto& object : channel.objects) {
    if (!IsSafeRelativePath(object.name))
      return Fail(ErrorCode::kInvalidArgument, "the object {} cannot be a file: its name below the prefix is '{}'",
                  object.key, object.name);
    if (const auto cut = object.name.rfind('/'); cut != std::string::npos)
      HEADRACE_TRY(links.MakeDirectories(object.name.substr(0, cut)));
    HEADRACE_ASSIGN(const auto place, links.PlaceOf(object.name));
    if (::linkat(AT_FDCWD, object.blob.c_str(), place.directory.get(), place.name.c_str(), 0) != 0 && errno != EEXIST)
      to_copy.push_back(object);
  }
  HEADRACE_ASSIGN(const auto totals, StageFiles(to_copy, links, Options()));
  context_.view.Show(links.path(), context_.view.ml() + "/input/data/" + channel.name, false);
  context_.reporter.Say("channel {}: {} files to be read on demand ({} copied)", channel.name, channel.objects.size(),
                        totals.files);
  return {};
}

Status JobInputs::StageCheckpoints() const {
  const auto& checkpoints = context_.job.checkpoints;
  if (!checkpoints) return {};
  const auto& path = checkpoints->path;
  const auto place = PlaceOfCheckpoints(path);
  if (!place)
    return Fail(ErrorCode::kInvalidArgument,
                "CheckpointConfig.LocalPath: found '{}', wanted a path below /opt/ml or a directory of its own", path);
  HEADRACE_ASSIGN(const auto host, context_.directory.OpenFiles());
  HEADRACE_ASSIGN(const auto target, host.MakeDirectories(place->below_host));
  HEADRACE_ASSIGN(const auto totals, StageFiles(checkpoints->objects, target, Options()));
  if (place->mounted) context_.view.Show(target.path(), path, true);
  if (totals.files > 0)
    context_.reporter.Say("checkpoints: {} files, {} restored to {}", totals.files, FormatBytes(totals.bytes), path);
  return {};
}

}  // namespace headrace::jobs
