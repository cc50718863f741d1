// ModelManager: which versions are loaded. It follows the models' directories; a new version is loaded and warm before
// the one it replaces goes, and one that cannot be loaded leaves the old one serving.
#pragma once

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

class ModelManager {
 public:
  // Loads the version in a directory, warm.
  using Loader = std::function<Result<std::shared_ptr<Servable>>(const std::string& directory)>;
  explicit ModelManager(Loader loader) : loader_(std::move(loader)) {}

  // Takes effect at the next Step. Models that are missing are unloaded.
  void SetConfigs(std::vector<ModelConfig> configs);
  // Looks at the directories once, loads and unloads. Called by one thread.
  void Step();

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
    int64_t failed_stamp = 0;  // of the directory when loading failed: tried again when that changes
  };
  struct Model {
    ModelConfig config;
    std::map<int64_t, Version> versions;
  };

  void LoadVersion(const std::string& name, int64_t version);
  void Unload(const std::string& name, int64_t version);
  Result<int64_t> Resolve(const Model& model, const VersionChoice& choice) const;

  Loader loader_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Model> models_;
};

}  // namespace headrace::serving
