#include "serving/model/model_manager.h"

#include <algorithm>

#include "base/log.h"
#include "serving/model/version_files.h"

namespace headrace::serving {
namespace {

constexpr size_t kEndedKept = 8;  // versions that ended stay in the status list, but not for ever

}  // namespace

const char* NameOf(VersionState state) {
  switch (state) {
    case VersionState::kStart:
      return "START";
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kAvailable:
      return "AVAILABLE";
    case VersionState::kUnloading:
      return "UNLOADING";
    case VersionState::kEnd:
      return "END";
  }
  return "UNKNOWN";
}

void ModelManager::SetConfigs(std::vector<ModelConfig> configs) {
  const std::unique_lock lock(mutex_);
  std::map<std::string, Model> next;
  for (ModelConfig& config : configs) {
    const auto known = models_.find(config.name);
    Model& model = next[config.name];
    if (known != models_.end() && known->second.config.base_path == config.base_path) model = std::move(known->second);
    model.config = std::move(config);
  }
  models_ = std::move(next);
}

void ModelManager::Step() {
  std::vector<std::pair<std::string, ModelConfig>> models;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [name, model] : models_) models.emplace_back(name, model.config);
  }
  for (const auto& [name, config] : models) {
    const std::vector<int64_t> available = AvailableVersions(config.base_path);
    std::vector<int64_t> wanted = config.policy.Choose(available);
    for (const int64_t version : wanted) LoadVersion(name, version);
    if (config.policy.kind == VersionPolicy::Kind::kLatest) FallBack(name, available, wanted);
    std::vector<int64_t> leaving;
    bool replaced = false;
    {
      const std::shared_lock lock(mutex_);
      for (const auto& [version, state] : models_.at(name).versions) {
        const bool chosen = std::find(wanted.begin(), wanted.end(), version) != wanted.end();
        if (chosen && state.state == VersionState::kAvailable) replaced = true;
        if (!chosen && state.state == VersionState::kAvailable) leaving.push_back(version);
      }
    }
    // Never without a version: what leaves waits until one that stays serves.
    if (replaced)
      for (const int64_t version : leaving) Unload(name, version);
  }
}

bool ModelManager::IsAvailable(const std::string& name, int64_t version) const {
  const std::shared_lock lock(mutex_);
  const auto& versions = models_.at(name).versions;
  const auto found = versions.find(version);
  return found != versions.end() && found->second.state == VersionState::kAvailable;
}

bool ModelManager::HasServed(const std::string& name) const {
  const std::shared_lock lock(mutex_);
  return models_.at(name).served;
}

void ModelManager::FallBack(const std::string& name, const std::vector<int64_t>& available,
                            std::vector<int64_t>& wanted) {
  if (wanted.empty() || !HasServed(name)) return;
  for (const int64_t version : wanted)
    if (IsAvailable(name, version)) return;
  for (auto version = available.rbegin(); version != available.rend(); ++version) {
    if (*version >= wanted.front()) continue;
    LoadVersion(name, *version);
    if (!IsAvailable(name, *version)) continue;
    wanted.push_back(*version);
    return;
  }
}

// Whether to load a version that is not available now.
bool ModelManager::WantsTry(Version& state, uint64_t files) const {
  if (state.state != VersionState::kEnd || state.error.empty()) return true;
  const bool changed = files != state.failed_files, quiet = files == state.seen_files;
  state.seen_files = files;
  if (changed) return quiet;
  return state.tries <= retries_.most && now_() >= state.next_try;
}

void ModelManager::LoadVersion(const std::string& name, int64_t version) {
  if (IsAvailable(name, version)) return;
  std::string directory;
  {
    const std::shared_lock lock(mutex_);
    directory = VersionDirectory(models_.at(name).config.base_path, version);
  }
  const uint64_t files = FingerprintOf(directory);
  int64_t tries = 1;
  {
    const std::unique_lock lock(mutex_);
    Version& state = models_[name].versions[version];
    if (!WantsTry(state, files)) return;
    if (!state.error.empty() && state.failed_files == files) tries = state.tries + 1;
    state = {.state = VersionState::kLoading};
  }
  Log(LogLevel::kInfo, "model {}: version {}: loading {}", name, version, directory);
  auto loaded = loader_(directory);
  const std::unique_lock lock(mutex_);
  Version& state = models_[name].versions[version];
  if (!loaded) {
    state = {VersionState::kEnd, loaded.error().message(), nullptr, files, files, tries, now_() + retries_.interval};
    Log(LogLevel::kError, "model {}: version {} cannot be loaded: {}; tried again when its files change{}", name,
        version, state.error,
        tries <= retries_.most ? fmt::format(", and in {} s", retries_.interval.count() / 1000000) : "");
    return;
  }
  state.servable = std::move(*loaded);
  state.state = VersionState::kAvailable;
  models_[name].served = true;
  Log(LogLevel::kInfo, "model {}: version {}: available", name, version);
}

void ModelManager::Unload(const std::string& name, int64_t version) {
  std::shared_ptr<Servable> leaving;  // freed outside of the lock, or by the last request that uses it
  const std::unique_lock lock(mutex_);
  Model& model = models_[name];
  leaving = std::move(model.versions[version].servable);
  model.versions[version] = {.state = VersionState::kEnd};
  std::vector<int64_t> ended;
  for (const auto& [number, state] : model.versions)
    if (state.state == VersionState::kEnd) ended.push_back(number);
  for (size_t i = 0; i + kEndedKept < ended.size(); ++i) model.versions.erase(ended[i]);
  Log(LogLevel::kInfo, "model {}: version {}: unloaded", name, version);
}

VersionLabels ModelManager::labels() const {
  const std::shared_lock lock(mutex_);
  VersionLabels labels;
  for (const auto& [name, model] : models_) labels[name] = model.config.labels;
  return labels;
}

void ModelManager::SetLabels(const VersionLabels& labels) {
  const std::unique_lock lock(mutex_);
  for (auto& [name, model] : models_) {
    const auto found = labels.find(name);
    model.config.labels = found == labels.end() ? std::map<std::string, int64_t>() : found->second;
  }
}

headrace::Status ModelManager::CheckLabels(AbsentLabels absent, const VersionLabels& before) const {
  if (absent == AbsentLabels::kAll) return {};
  const auto moved = [&](const std::string& name, const std::string& label, int64_t version) {
    const auto model = before.find(name);
    if (model == before.end()) return false;
    const auto found = model->second.find(label);
    return found != model->second.end() && found->second != version;
  };
  for (const auto& [name, labels] : this->labels())
    for (const auto& [label, version] : labels) {
      if (IsAvailable(name, version)) continue;
      if (absent == AbsentLabels::kNewOnes && !moved(name, label, version)) continue;
      return Fail(ErrorCode::kFailedPrecondition,
                  "Request to assign label to version {} of model {}, which is not currently available for inference "
                  "(label '{}'; --allow_version_labels_for_unavailable_models takes new ones)",
                  version, name, label);
    }
  return {};
}

Result<int64_t> ModelManager::Resolve(const Model& model, const VersionChoice& choice) const {
  if (choice.version) return *choice.version;
  if (choice.label.empty()) return int64_t{-1};
  const auto label = model.config.labels.find(choice.label);
  if (label == model.config.labels.end())
    return Fail(ErrorCode::kInvalidArgument, "Unrecognized servable version label: {}", choice.label);
  return label->second;
}

Result<ModelManager::Found> ModelManager::Find(const std::string& name, const VersionChoice& choice) const {
  const std::shared_lock lock(mutex_);
  const auto model = models_.find(name);
  const auto missing = [&]() -> Result<Found> {
    if (choice.version)
      return Fail(ErrorCode::kNotFound, "Servable not found for request: Specific({}, {})", name, *choice.version);
    return Fail(ErrorCode::kNotFound, "Servable not found for request: Latest({})", name);
  };
  if (model == models_.end()) return missing();
  HEADRACE_ASSIGN(const int64_t wanted, Resolve(model->second, choice));
  const auto& versions = model->second.versions;
  for (auto at = versions.rbegin(); at != versions.rend(); ++at)
    if (at->second.state == VersionState::kAvailable && (wanted < 0 || at->first == wanted))
      return Found{at->second.servable, at->first};
  return missing();
}

Result<std::vector<VersionStatus>> ModelManager::Status(const std::string& name, const VersionChoice& choice) const {
  const std::shared_lock lock(mutex_);
  const auto model = models_.find(name);
  if (model == models_.end() || model->second.versions.empty())
    return Fail(ErrorCode::kNotFound, "Could not find any versions of model {}", name);
  HEADRACE_ASSIGN(const int64_t wanted, Resolve(model->second, choice));
  std::vector<VersionStatus> statuses;
  const auto& versions = model->second.versions;
  for (auto at = versions.rbegin(); at != versions.rend(); ++at)
    if (wanted < 0 || at->first == wanted) statuses.push_back({at->first, at->second.state, at->second.error});
  if (statuses.empty()) return Fail(ErrorCode::kNotFound, "Could not find version {} of model {}", wanted, name);
  return statuses;
}

std::vector<std::string> ModelManager::Names() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, model] : models_) names.push_back(name);
  return names;
}

bool ModelManager::AllAvailable() const {
  const std::shared_lock lock(mutex_);
  return std::all_of(models_.begin(), models_.end(), [](const auto& entry) {
    return std::any_of(entry.second.versions.begin(), entry.second.versions.end(),
                       [](const auto& version) { return version.second.state == VersionState::kAvailable; });
  });
}

}  // namespace headrace::serving
