#include "jobs/hosting/model_files.h"

#include <filesystem>

#include "base/beneath.h"
#include "base/file.h"
#include "jobs/archive/unpack.h"
#include "jobs/inputs/input_objects.h"
#include "jobs/staging/stage_files.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;

Status Fetch(const store::AccountObjects& objects, const HostedModel& model, const std::string& directory,
             const std::function<bool()>& cancelled) {
  HEADRACE_TRY(MakeDirectories(directory));
  if (!model.is_prefix) {
    HEADRACE_ASSIGN(const auto archive, FindInput(objects, model.data));
    return UnpackArchive(archive.blob, directory, {.cancelled = cancelled});
  }
  HEADRACE_ASSIGN(const auto files, ListPrefix(objects, model.data));
  StagingOptions options;
  options.scratch = directory + ".scratch";
  options.cancelled = cancelled;
  HEADRACE_ASSIGN(const auto held, HeldDirectory::Open(directory));
  const auto staged = StageFiles(files, held, options);
  [[maybe_unused]] const auto removed = RemoveTree(options.scratch);
  if (!staged) return tl::unexpected<Error>(staged.error());
  return {};
}

}  // namespace

Status CheckModelData(const store::AccountObjects& objects, const HostedModel& model) {
  if (!model.is_prefix) {
    const auto found = FindInput(objects, model.data);
    if (!found) return tl::unexpected<Error>(found.error());
    return {};
  }
  HEADRACE_ASSIGN(const auto files, ListPrefix(objects, model.data));
  if (files.empty()) return Fail(ErrorCode::kNotFound, "there are no objects below {}", model.data);
  return {};
}

Status FetchModel(const store::AccountObjects& objects, const HostedModel& model, const std::string& directory,
                  const std::function<bool()>& cancelled) {
  if (fs::exists(directory)) return {};
  const std::string partial = directory + ".partial";
  HEADRACE_TRY(RemoveTree(partial));
  HEADRACE_TRY(Fetch(objects, model, partial, cancelled));
  if (fs::exists(partial + "/code/inference.py"))
    return Fail(ErrorCode::kInvalidArgument,
                "the model holds code/inference.py: scripts before and behind a model are not supported here");
  std::error_code failed;
  fs::rename(partial, directory, failed);
  if (failed) return Fail(ErrorCode::kUnavailable, "{}: {}", directory, failed.message());
  return {};
}

}  // namespace headrace::jobs
