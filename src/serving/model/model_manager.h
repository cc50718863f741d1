// ModelManager: which versions are loaded. It follows the models' directories; a new version is loaded and warm before
// the one it replaces goes, and one that cannot be loaded leaves the old one serving and is tried again: somebody may
// still be copying it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "serving/model/model_config.h"
#include "serving/model/servable.h"

namespace headrace::serving {

// Which version a request asks for; neither: the highest available.
struct VersionChoice {
  std::optional<int64_t> version;
  std::string label;
};

enum class VersionState { kStart = 10, kLoading = 20, kAvailable = 30, kUnloading = 40, kEnd = 50 };
const char* NameOf(VersionState state);

struct VersionStatus {
  int64_t version = 0;
  VersionState state = VersionState::kStart;
  std::string error;  // why it could not be loaded
};

// When a version that could not be loaded is tried again although its files are the same: TensorFlow Serving's
// --max_num_load_retries and --load_retry_interval_micros. When its files have changed, and two looks in a row found
// the same, it is tried again in any case.
struct LoadRetries {
  int64_t most = 5;
  std::chrono::microseconds interval = std::chrono::minutes(1);
};

// What may be the version of a label that is not available: TensorFlow Serving's
// --allow_version_labels_for_unavailable_models (new labels) and --force_allow_any_version_labels_….
enum class AbsentLabels { kRefused, kNewOnes, kAll };
using VersionLabels = std::map<std::string, std::map<std::string, int64_t>>;  // of each model

class ModelManager {
 public:
  using Clock = std::chrono::steady_clock;
  // Loads the version in a directory, warm.
  using Loader = std::function<Result<std::shared_ptr<Servable>>(const std::string& directory)>;
  explicit ModelManager(Loader loader, LoadRetries retries = {}, std::function<Clock::time_point()> now = Clock::now)
      : loader_(std::move(loader)), retries_(retries), now_(std::move(now)) {}

  // Takes effect at the next Step. Models that are missing are unloaded.
  void SetConfigs(std::vector<ModelConfig> configs);
  // Looks at the directories once, loads and unloads. Called by one thread.
  void Step();

  VersionLabels labels() const;
  // kFailedPrecondition, in TensorFlow Serving's words, when a label's version is not available and `absent` does not
  // allow it; `before` are the labels that held until now.
  headrace::Status CheckLabels(AbsentLabels absent, const VersionLabels& before) const;
  void SetLabels(const VersionLabels& labels);  // of the models there are

  struct Found {
    std::shared_ptr<Servable> servable;
    int64_t version = 0;
  };
  // Errors are worded as TensorFlow Serving's: kNotFound, or kInvalidArgument for an unknown label.
  Result<Found> Find(const std::string& model, const VersionChoice& choice) const;
  // Of one or all versions, highest first; versions that ended are the last few only.
  Result<std::vector<VersionStatus>> Status(const std::string& model, const VersionChoice& choice) const;
  std::vector<std::string> Names() const;
  bool AllAvailable() const;  // every model has a version that serves

 private:
  struct Version {
    VersionState state = VersionState::kStart;
    std::string error;
    std::shared_ptr<Servable> servable;
    // When loading failed:
    uint64_t failed_files = 0;  // the directory's fingerprint before it was tried
    uint64_t seen_files = 0;    // and at the last look
    int64_t tries = 0;          // of these files
    Clock::time_point next_try{};
  };
  struct Model {
    ModelConfig config;
    std::map<int64_t, Version> versions;
    bool served = false;  // a version has been available
  };

  bool WantsTry(Version& state, uint64_t files) const;
  bool IsAvailable(const std::string& name, int64_t version) const;
  bool HasServed(const std::string& name) const;
  // When none of the latest versions can be loaded, an earlier one that can, if the model has served before.
  void FallBack(const std::string& name, const std::vector<int64_t>& available, std::vector<int64_t>& wanted);
  void LoadVersion(const std::string& name, int64_t version);
  void Unload(const std::string& name, int64_t version);
  Result<int64_t> Resolve(const Model& model, const VersionChoice& choice) const;

  Loader loader_;
  const LoadRetries retries_;
  const std::function<Clock::time_point()> now_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Model> models_;
};

}  // namespace headrace::serving
