// What becomes of each member of a request: it is done; or it is refused when the request is made; or, where that does
// no harm, it is kept and shown but has no effect, which the job's log says. Nothing is left out silently: a member
// that is in no table here is one that we do not know, and the log says that as well. docs/api-coverage.md shows the
// tables.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace headrace::jobs {

enum class Effect { kDone, kRefused, kWithoutEffect };

struct MemberEffect {
  // "ResourceConfig.InstanceType"; a list's elements are "InputDataConfig[].ContentType". An entry that none lies below
  // stands for all that is in the member.
  std::string_view path;
  Effect effect = Effect::kDone;
  // Refused: the remedy. Without effect: why that does no harm. Done: what is to be said, if anything.
  std::string_view says = {};
  // Whether a value asks for what is refused or has no effect; `when` says the same in words. Without it every value
  // does that is not null, false or empty.
  bool (*asks)(const nlohmann::json& value) = nullptr;
  std::string_view when = {};
};

std::span<const MemberEffect> TrainingJobMembers();
std::span<const MemberEffect> ModelMembers();  // "PrimaryContainer" stands for "Containers[]", too
std::span<const MemberEffect> EndpointConfigMembers();
std::span<const MemberEffect> TransformJobMembers();
// Hyperparameters that choose how a training job is distributed, by their names.
std::span<const MemberEffect> DistributionHyperparameters();

struct RequestEffects {
  struct Refusal {
    std::string path;  // as AWS writes it: "inputDataConfig.1.member.contentType"
    nlohmann::json value;
    std::string remedy;
  };
  std::vector<Refusal> refused;
  std::vector<std::string> without_effect;  // "ProfilerConfig: nothing is profiled here", for a log
};

// What a request of those members asks for. The request may be anything that is JSON.
RequestEffects EffectsOf(std::span<const MemberEffect> members, const nlohmann::json& request);
// The same for a training job, with its hyperparameters.
RequestEffects EffectsOfTrainingJob(const nlohmann::json& request);

// The lines that a log shows of members without effect.
std::vector<std::string> LinesOf(const RequestEffects& effects);

}  // namespace headrace::jobs
