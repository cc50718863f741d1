#include "jobs/request/member_effects.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "jobs/request/distribution.h"
#include "jobs/request/hyperparameters.h"
#include "jobs/request/mpi_options.h"
#include "jobs/request/training_request.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr size_t kMostUnknown = 20;  // lines for a log; more would be somebody's joke

bool SaysSomething(const json& value) {
  if (value.is_null() || (value.is_boolean() && !value.get<bool>())) return false;
  if (value.is_number()) return value != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();  // json::empty() is false for any text
  return !value.is_structured() || !value.empty();
}

std::string AsAwsWrites(std::string_view member) {
  std::string name(member);
  if (!name.empty()) name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  return name;
}

class Walk {
 public:
  Walk(std::span<const MemberEffect> members, RequestEffects& effects) : members_(members), effects_(effects) {}

  // `path` is the table's, `shown` AWS's.
  void Object(const json& object, const std::string& path, const std::string& shown) {
    for (const auto& [name, value] : object.items())
      Value(value, path.empty() ? name : path + "." + name,
            shown.empty() ? AsAwsWrites(name) : shown + "." + AsAwsWrites(name));
  }

 private:
  void Value(const json& value, const std::string& path, const std::string& shown) {
    const std::string known = path == "Containers" && value.is_array() ? "PrimaryContainer" : path;
    const MemberEffect* entry = nullptr;
    bool parts = false;
    for (const MemberEffect& member : members_) {
      if (member.path == known) entry = &member;
      parts = parts || (member.path.starts_with(known) && member.path.size() > known.size() &&
                        (member.path[known.size()] == '.' || member.path[known.size()] == '['));
    }
    if (entry != nullptr) return Take(*entry, value, path, shown);
    if (!parts) return Unknown(value, path);
    if (value.is_object()) return Object(value, known, shown);
    if (!value.is_array()) return;
    for (size_t i = 0; i < value.size(); ++i)
      if (value[i].is_object())
        Object(value[i], known == path ? known + "[]" : known, fmt::format("{}.{}.member", shown, i + 1));
  }

  void Take(const MemberEffect& entry, const json& value, const std::string& path, const std::string& shown) {
    const bool asks = entry.asks == nullptr ? SaysSomething(value) : entry.asks(value);
    if (entry.effect == Effect::kDone || !asks) return;
    if (entry.effect == Effect::kRefused)
      effects_.refused.push_back({shown, value, std::string(entry.says)});
    else
      Say(fmt::format("{}: {}", path, entry.says));
  }

  void Unknown(const json& value, const std::string& path) {
    if (!SaysSomething(value) || ++unknown_ > kMostUnknown) return;
    Say(fmt::format("{}: this version of Headrace does not know it", path.substr(0, 200)));
  }

  void Say(std::string text) {
    auto& said = effects_.without_effect;
    if (std::find(said.begin(), said.end(), text) == said.end()) said.push_back(std::move(text));
  }

  const std::span<const MemberEffect> members_;
  RequestEffects& effects_;
  size_t unknown_ = 0;
};

// That the request asks for; 1 where that cannot be read, which its decoder says.
int HostsOf(const json& request) {
  const auto resources = DecodeResourceConfig(request);
  return resources ? resources->instance_count() : 1;
}

// How mpirun is to start the job's processes.
void TakeMpi(const Hyperparameters& parameters, int hosts, const json& value, RequestEffects& effects) {
  const auto mpi = MpiOf(parameters, hosts);
  if (!mpi) {
    effects.refused.push_back({"hyperParameters.sagemaker_mpi_enabled", value, mpi.error().message()});
    return;
  }
  if (auto options = SplitMpiOptions((*mpi)->custom_options); !options)
    effects.refused.push_back(
        {"hyperParameters.sagemaker_mpi_custom_mpi_options", (*mpi)->custom_options, options.error().message()});
  if (hosts == 1 && (*mpi)->processes == 1)
    effects.without_effect.push_back(
        "HyperParameters.sagemaker_mpi_enabled: one process was asked for, and it is started without mpirun");
}

void TakeDistribution(const json& request, RequestEffects& effects) {
  const Hyperparameters parameters = DecodeHyperparameters(request["HyperParameters"]);
  const auto hosts = HostsOf(request);
  const auto table = DistributionHyperparameters();
  for (const auto& item : parameters.all.items()) {
    const std::string& name = item.key();
    const json& value = item.value();
    const auto entry = std::find_if(table.begin(), table.end(), [&](const auto& each) { return each.path == name; });
    const bool chooses = entry != table.end() || (name.starts_with("sagemaker_") && name.ends_with("_enabled"));
    if (!chooses || !IsOn(value)) continue;
    if (entry == table.end()) {
      effects.refused.push_back({"hyperParameters." + name, value, "no such distribution is known here: leave it out"});
    } else if (name == "sagemaker_mpi_enabled") {
      TakeMpi(parameters, hosts, value, effects);
    } else if (entry->effect == Effect::kWithoutEffect && hosts == 1) {
      effects.without_effect.push_back(fmt::format("HyperParameters.{}: {}", name, entry->says));
    } else if (entry->effect == Effect::kRefused) {
      effects.refused.push_back({"hyperParameters." + name, value, std::string(entry->says)});
    }
  }
}

}  // namespace

RequestEffects EffectsOf(std::span<const MemberEffect> members, const json& request) {
  RequestEffects effects;
  if (request.is_object()) Walk(members, effects).Object(request, "", "");
  return effects;
}

RequestEffects EffectsOfTrainingJob(const json& request) {
  RequestEffects effects = EffectsOf(TrainingJobMembers(), request);
  if (request.is_object() && request.contains("HyperParameters")) TakeDistribution(request, effects);
  return effects;
}

std::vector<std::string> LinesOf(const RequestEffects& effects) {
  std::vector<std::string> lines;
  for (const auto& text : effects.without_effect) lines.push_back("[headrace] kept without effect: " + text);
  return lines;
}

}  // namespace headrace::jobs
