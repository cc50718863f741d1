#include "jobs/training/kept_inputs.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/file.h"
#include "jobs/inputs/input_channels.h"
#include "jobs/inputs/input_objects.h"
#include "jobs/inputs/s3_uri.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr int kKeptInputsVersion = 1;

json ToJson(const KeptInputs& inputs) {
  json into = {{"version", kKeptInputsVersion}, {"channels", inputs.channels}};
  if (inputs.source) into["source"] = {{"blob", inputs.source->blob}, {"uri", inputs.source->uri}};
  return into;
}

// nullopt where there is none that can be read: it is written without waiting for the disk, and a machine that has
// fallen meanwhile has no host of the job any more that has read it.
std::optional<KeptInputs> Read(const JobDirectory& directory) {
  const auto text = ReadFile(directory.kept_inputs());
  if (!text) return std::nullopt;
  try {
    const auto from = json::parse(*text);
    if (from.at("version") != kKeptInputsVersion) return std::nullopt;
    KeptInputs inputs;
    from.at("channels").get_to(inputs.channels);
    if (from.contains("source"))
      inputs.source = JobDescription::Source{from.at("source").at("blob"), from.at("source").at("uri")};
    return inputs;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Status Write(const JobDirectory& directory, const KeptInputs& inputs) {
  const auto unfinished = directory.kept_inputs() + ".part";
  HEADRACE_TRY(WriteBriefly(unfinished, ToJson(inputs).dump(-1, ' ', false, json::error_handler_t::replace), 0600));
  if (::rename(unfinished.c_str(), directory.kept_inputs().c_str()) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot rename into place: {}", directory.kept_inputs(),
                std::strerror(errno));
  return {};
}

Result<KeptInputs> Find(const store::AccountObjects& objects, const TrainingRequest& request) {
  KeptInputs inputs;
  const auto source = request.hyperparameters.Text("sagemaker_submit_directory");
  if (IsUri(source)) {
    const auto object = FindInput(objects, source);
    if (!object) return Fail(object.error().code(), "sagemaker_submit_directory: {}", object.error().message());
    inputs.source = JobDescription::Source{object->blob, source};
  }
  HEADRACE_ASSIGN(inputs.channels, ResolveChannels(objects, request));
  return inputs;
}

Status KeepAll(const JobDirectory& directory, KeptInputs& inputs) {
  HEADRACE_TRY(MakeDirectories(directory.inputs()));
  if (inputs.source) HEADRACE_TRY(KeepBlob(directory, inputs.source->blob, inputs.source->uri));
  for (auto& channel : inputs.channels) {
    for (auto& object : channel.objects) HEADRACE_TRY(KeepBlob(directory, object.blob, object.key));
    if (channel.manifest) HEADRACE_TRY(KeepBlob(directory, channel.manifest->blob, channel.manifest->key));
  }
  return {};
}

}  // namespace

Status KeepBlob(const JobDirectory& directory, std::string& blob, const std::string& key) {
  if (blob.empty()) return {};
  auto link = directory.inputs() + "/" + std::filesystem::path(blob).filename().string();
  if (::link(blob.c_str(), link.c_str()) == 0 || errno == EEXIST) {
    blob = std::move(link);
  } else if (errno == ENOENT) {
    return Fail(ErrorCode::kNotFound, "the object {} was deleted or replaced while the job was prepared", key);
  }  // else this file system has no such links, and the blob is read where it is
  return {};
}

Result<KeptInputs> KeepInputs(const store::AccountObjects& objects, const JobDirectory& directory,
                              const TrainingRequest& request) {
  if (auto kept = Read(directory)) return std::move(*kept);
  HEADRACE_ASSIGN(auto inputs, Find(objects, request));
  HEADRACE_TRY(KeepAll(directory, inputs));
  HEADRACE_TRY(Write(directory, inputs));
  return inputs;
}

}  // namespace headrace::jobs
