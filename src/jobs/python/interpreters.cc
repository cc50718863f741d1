#include "jobs/python/interpreters.h"

#include <utility>

#include "base/log.h"

namespace headrace::jobs {
namespace {

constexpr std::chrono::seconds kUntilAskedAgain{10};

// What is told of an interpreter: what may be asked for, and Keras, which comes with one of them.
std::string PackagesOf(const Interpreter& interpreter) {
  std::string text;
  for (const char* module : {"tensorflow", "keras", "torch", "sklearn", "xgboost", "horovod"}) {
    if (!interpreter.Has(module)) continue;
    const auto version = interpreter.VersionOf(module);
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", module, version.empty() ? "" : " ", version);
  }
  return text.empty() ? "no framework" : text;
}

}  // namespace

Interpreters::Interpreters(std::string configured, const std::string& data_dir)
    : configured_(std::move(configured)), has_registry_(!data_dir.empty()), registry_(data_dir) {}

ChosenPython Interpreters::For(const std::string& image) {
  const auto wanted = FrameworkOfImage(image);
  const std::lock_guard lock(mutex_);
  ChosenPython chosen{.environment = kDefaultEnvironment};
  if (const auto& probed = Probed(configured_)) chosen.interpreter = *probed;
  if (wanted.framework == nullptr) return chosen;
  const auto candidates = Candidates(*wanted.framework);
  std::vector<std::string> versions;
  for (const auto& candidate : candidates) versions.push_back(candidate.version);
  const auto nearest = NearestVersion(wanted.version, versions);
  if (!nearest) {
    chosen.has_framework = false;
    chosen.remark =
        fmt::format("the image asks for {}, and no Python of this machine has {} (its owner can add one: {})",
                    wanted.Text(), wanted.framework->name, CommandToAdd(wanted));
    return chosen;
  }
  const auto& best = candidates[*nearest];
  chosen.environment = best.environment;
  chosen.interpreter = best.interpreter;
  if (!SameMinorVersion(wanted.version, best.version))
    chosen.remark = fmt::format("the image asks for {}; the nearest version of this machine is {}", wanted.Text(),
                                best.version.empty() ? "one that does not say which it is" : best.version);
  return chosen;
}

// The registered ones first, then the default one, which may have the framework, too.
std::vector<Interpreters::Candidate> Interpreters::Candidates(const Framework& framework) {
  std::vector<Candidate> candidates;
  const auto add = [&](const std::string& environment, const std::string& configured) {
    const auto& probed = Probed(configured);
    if (probed && probed->Has(framework.module))
      candidates.push_back({environment, probed->VersionOf(framework.module), *probed});
    else if (environment != kDefaultEnvironment)
      Log(LogLevel::kWarning, "the Python environment {} is left out: {}", environment,
          probed ? fmt::format("{} has no {} any more", configured, framework.module) : probed.error().message());
  };
  for (const auto& one : Registered())
    if (one.framework == framework.name) add(one.name, one.interpreter);
  add(kDefaultEnvironment, configured_);
  return candidates;
}

// One that did not answer may have taken its time for that: not every job waits for it.
bool Interpreters::Known::holds() const {
  if (interpreter) return StampOf(*interpreter) == stamp;
  return std::chrono::steady_clock::now() - since < kUntilAskedAgain;
}

std::vector<PythonEnvironment> Interpreters::Registered() {
  if (!has_registry_) return {};
  auto environments = registry_.Read();
  if (environments) return std::move(*environments);
  Log(LogLevel::kError, "no registered Python environment can be used: {}", environments.error().message());
  return {};
}

const Result<Interpreter>& Interpreters::Probed(const std::string& configured) {
  const auto found = known_.find(configured);
  if (found != known_.end() && found->second.holds()) return found->second.interpreter;
  auto probed = ProbeInterpreter(configured);
  auto stamp = probed ? StampOf(*probed) : "";
  const auto placed =
      known_.insert_or_assign(configured, Known{std::chrono::steady_clock::now(), std::move(stamp), std::move(probed)});
  return placed.first->second.interpreter;
}

std::string Described(const ChosenPython& chosen) {
  return fmt::format("Python {} ({}, environment {}): {}", chosen.interpreter.version, chosen.interpreter.program,
                     chosen.environment, PackagesOf(chosen.interpreter));
}

}  // namespace headrace::jobs
