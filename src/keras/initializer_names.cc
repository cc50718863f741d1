// Initializers by Keras's names and configurations, and what layers ask of them.
#include <array>
#include <utility>

#include "base/result.h"
#include "keras/initializer_state.h"
#include "keras/layer_state.h"
#include "keras/layers/config.h"

namespace headrace::keras::internal {
namespace {

using nlohmann::json;

// Keras 2 and 3 write a number, null, or the configuration of a generator.
int64_t SeedOf(const json& config) {
  const auto found = config.find("seed");
  return found != config.end() && found->is_number_integer() ? found->get<int64_t>() : -1;
}

template <typename Scaled>
Initializer FromSeed(const json& config) {
  return Scaled({.seed = SeedOf(config)});
}

template <typename Normal>
Initializer FromMoments(const json& config) {
  return Normal({.mean = Number<double>(config, "mean", 0),
                 .stddev = Number<double>(config, "stddev", 0.05),
                 .seed = SeedOf(config)});
}

Initializer ScalingFrom(const json& config) {
  return VarianceScaling({.scale = Number<double>(config, "scale", 1),
                          .mode = config.value("mode", "fan_in"),
                          .distribution = config.value("distribution", "truncated_normal"),
                          .seed = SeedOf(config)});
}

Initializer UniformFrom(const json& config) {
  return RandomUniform({.minval = Number<double>(config, "minval", -0.05),
                        .maxval = Number<double>(config, "maxval", 0.05),
                        .seed = SeedOf(config)});
}

struct KnownInitializer {
  const char *name, *class_name;
  Initializer (*from)(const json& config);
};
constexpr std::array<KnownInitializer, 15> kKnownInitializers = {{
    {"glorot_uniform", "GlorotUniform", FromSeed<GlorotUniform>},
    {"glorot_normal", "GlorotNormal", FromSeed<GlorotNormal>},
    {"he_uniform", "HeUniform", FromSeed<HeUniform>},
    {"he_normal", "HeNormal", FromSeed<HeNormal>},
    {"lecun_uniform", "LecunUniform", FromSeed<LecunUniform>},
    {"lecun_normal", "LecunNormal", FromSeed<LecunNormal>},
    {"zeros", "Zeros", [](const json&) -> Initializer { return Zeros(); }},
    {"ones", "Ones", [](const json&) -> Initializer { return Ones(); }},
    {"constant", "Constant", [](const json& c) -> Initializer { return Constant(Number<double>(c, "value", 0)); }},
    {"random_uniform", "RandomUniform", UniformFrom},
    {"random_normal", "RandomNormal", FromMoments<RandomNormal>},
    {"truncated_normal", "TruncatedNormal", FromMoments<TruncatedNormal>},
    {"variance_scaling", "VarianceScaling", ScalingFrom},
    {"orthogonal", "Orthogonal",
     [](const json& c) -> Initializer {
       return Orthogonal({.gain = Number<double>(c, "gain", 1), .seed = SeedOf(c)});
     }},
    {"identity", "Identity",
     [](const json& c) -> Initializer { return IdentityInitializer(Number<double>(c, "gain", 1)); }},
}};

// Keras lists these two classes under a second name.
std::string WithoutSuffix(const std::string& name) {
  if (name == "OrthogonalInitializer") return "Orthogonal";
  return name == "IdentityInitializer" ? "Identity" : name;
}

const InitializerState& StateOf(const Initializer& initializer, const std::shared_ptr<const InitializerState>& found) {
  if (initializer.state()) return *initializer.state();
  if (found) return *found;
  throw MakeError(ErrorCode::kInternal, "initializer {} was not checked", initializer.name());
}

}  // namespace

std::shared_ptr<const InitializerState> FindInitializer(const std::string& name) {
  const std::string wanted = WithoutSuffix(name);
  for (const KnownInitializer& known : kKnownInitializers)
    if (wanted == known.name || wanted == known.class_name) return known.from(json::object()).state();
  return nullptr;
}

std::string KnownInitializers() {
  std::string names;
  for (const KnownInitializer& known : kKnownInitializers)
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}

std::optional<Initializer> InitializerFromJson(const json& initializer) {
  const bool named = initializer.is_string();
  const std::string name =
      WithoutSuffix(named ? initializer.get<std::string>() : initializer.at("class_name").get<std::string>());
  const json config = named ? json::object() : initializer.value("config", json::object());
  for (const KnownInitializer& known : kKnownInitializers)
    if (name == known.name || name == known.class_name) return known.from(config);
  return std::nullopt;
}

json InitializerConfig(const Initializer& initializer) {
  const auto found = FindInitializer(initializer.name());
  const InitializerState& state = StateOf(initializer, found);
  if (state.class_name.empty()) return nullptr;  // Keras's default then: the file has the weights
  return {{"module", "keras.initializers"},
          {"class_name", state.class_name},
          {"config", state.config},
          {"registered_name", nullptr}};
}

void CheckInitializer(const std::string& layer, const Initializer& initializer) {
  if (initializer.state() || FindInitializer(initializer.name())) return;
  throw MakeError(ErrorCode::kInvalidArgument, "{}: initializer: found \"{}\", wanted one of {}", layer,
                  initializer.name(), KnownInitializers());
}

void Initialize(const Initializer& initializer, uint64_t seed, uint64_t stream, Tensor& value) {
  CheckInitializer("weights", initializer);
  const auto found = FindInitializer(initializer.name());
  StateOf(initializer, found).fill(value, {seed, stream});
}

}  // namespace headrace::keras::internal
