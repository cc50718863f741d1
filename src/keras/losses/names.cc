// Losses by name and by configuration.
#include <array>
#include <utility>

#include "base/result.h"
#include "keras/layers/config.h"
#include "keras/losses/loss_state.h"

namespace headrace::keras {
namespace internal {
namespace {

using nlohmann::json;

std::string Reduction(const json& config) {
  const std::string found = config.value("reduction", std::string("sum_over_batch_size"));
  return found == "auto" ? "sum_over_batch_size" : found;  // Keras 2's
}

// One number or a list; none for all.
std::vector<int64_t> Axes(const json& config) {
  const auto found = config.find("axis");
  if (found == config.end() || found->is_null()) return {};
  if (found->is_number()) return {found->get<int64_t>()};
  return found->get<std::vector<int64_t>>();
}

template <typename Class>
Loss Plain(const json& config) {
  return Class(LossOptions{.reduction = Reduction(config), .name = config.value("name", "")});
}

struct Entry {
  const char* class_name;
  std::array<const char*, 3> names;  // Keras's function and its short names
  Loss (*make)(const json& config);
};

const std::array<Entry, 20> kLosses = {{
    {"BinaryCrossentropy",
     {"binary_crossentropy", "bce", "BCE"},
     [](const json& c) -> Loss {
       return BinaryCrossentropy({.from_logits = c.value("from_logits", false),
                                  .label_smoothing = Number(c, "label_smoothing", 0),
                                  .reduction = Reduction(c),
                                  .name = c.value("name", "")});
     }},
    {"BinaryFocalCrossentropy",
     {"binary_focal_crossentropy"},
     [](const json& c) -> Loss {
       return BinaryFocalCrossentropy({.apply_class_balancing = c.value("apply_class_balancing", false),
                                       .alpha = Number(c, "alpha", 0.25f),
                                       .gamma = Number(c, "gamma", 2),
                                       .from_logits = c.value("from_logits", false),
                                       .label_smoothing = Number(c, "label_smoothing", 0),
                                       .reduction = Reduction(c),
                                       .name = c.value("name", "")});
     }},
    {"CategoricalCrossentropy",
     {"categorical_crossentropy"},
     [](const json& c) -> Loss {
       return CategoricalCrossentropy({.from_logits = c.value("from_logits", false),
                                       .label_smoothing = Number(c, "label_smoothing", 0),
                                       .reduction = Reduction(c),
                                       .name = c.value("name", "")});
     }},
    {"CategoricalFocalCrossentropy",
     {"categorical_focal_crossentropy"},
     [](const json& c) -> Loss {
       return CategoricalFocalCrossentropy({.alpha = Number(c, "alpha", 0.25f),
                                            .gamma = Number(c, "gamma", 2),
                                            .from_logits = c.value("from_logits", false),
                                            .label_smoothing = Number(c, "label_smoothing", 0),
                                            .reduction = Reduction(c),
                                            .name = c.value("name", "")});
     }},
    {"CategoricalGeneralizedCrossEntropy",
     {"categorical_generalized_cross_entropy"},
     [](const json& c) -> Loss {
       return CategoricalGeneralizedCrossEntropy(
           {.q = Number(c, "q", 0.5f), .reduction = Reduction(c), .name = c.value("name", "")});
     }},
    {"CategoricalHinge", {"categorical_hinge"}, Plain<CategoricalHinge>},
    {"CosineSimilarity",
     {"cosine_similarity"},
     [](const json& c) -> Loss {
       return CosineSimilarity(
           {.axis = c.value("axis", int64_t{-1}), .reduction = Reduction(c), .name = c.value("name", "")});
     }},
    {"Dice",
     {"dice"},
     [](const json& c) -> Loss {
       return Dice({.axis = Axes(c), .reduction = Reduction(c), .name = c.value("name", "")});
     }},
    {"Hinge", {"hinge"}, Plain<Hinge>},
    {"Huber",
     {"huber"},
     [](const json& c) -> Loss {
       return Huber({.delta = Number(c, "delta", 1), .reduction = Reduction(c), .name = c.value("name", "")});
     }},
    {"KLDivergence", {"kl_divergence", "kld", "KLD"}, Plain<KLDivergence>},
    {"LogCosh", {"log_cosh", "logcosh"}, Plain<LogCosh>},
    {"MeanAbsoluteError", {"mean_absolute_error", "mae", "MAE"}, Plain<MeanAbsoluteError>},
    {"MeanAbsolutePercentageError",
     {"mean_absolute_percentage_error", "mape", "MAPE"},
     Plain<MeanAbsolutePercentageError>},
    {"MeanSquaredError", {"mean_squared_error", "mse", "MSE"}, Plain<MeanSquaredError>},
    {"MeanSquaredLogarithmicError",
     {"mean_squared_logarithmic_error", "msle", "MSLE"},
     Plain<MeanSquaredLogarithmicError>},
    {"Poisson", {"poisson"}, Plain<Poisson>},
    {"SparseCategoricalCrossentropy",
     {"sparse_categorical_crossentropy"},
     [](const json& c) -> Loss {
       return SparseCategoricalCrossentropy(
           {.from_logits = c.value("from_logits", false), .reduction = Reduction(c), .name = c.value("name", "")});
     }},
    {"SquaredHinge", {"squared_hinge"}, Plain<SquaredHinge>},
    {"Tversky",
     {"tversky"},
     [](const json& c) -> Loss {
       return Tversky({.alpha = Number(c, "alpha", 0.5f),
                       .beta = Number(c, "beta", 0.5f),
                       .axis = Axes(c),
                       .reduction = Reduction(c),
                       .name = c.value("name", "")});
     }},
}};

// By class name, or by a function's name or short name; null for none.
Loss (*FindMaker(const std::string& name))(const json&) {
  for (const Entry& entry : kLosses) {
    if (name == entry.class_name) return entry.make;
    for (const char* known : entry.names)
      if (known != nullptr && name == known) return entry.make;
  }
  return nullptr;
}

}  // namespace

std::string KnownLosses() {
  std::string known;
  for (const Entry& entry : kLosses) known += (known.empty() ? "\"" : ", \"") + std::string(entry.names[0]) + "\"";
  return known;
}

std::shared_ptr<const LossState> FindLoss(const std::string& name) {
  const auto make = FindMaker(name);
  return make == nullptr ? nullptr : make(json::object()).state();
}

Loss LossFromConfig(const std::string& class_name, const json& config) {
  const auto make = FindMaker(class_name);
  if (make != nullptr) return make(config);
  throw MakeError(ErrorCode::kInvalidArgument, "loss: found \"{}\", wanted one of {}", class_name, KnownLosses());
}

}  // namespace internal

namespace {

std::shared_ptr<const internal::LossState> Named(const char* name) {
  auto state = internal::FindLoss(name);
  if (state != nullptr) return state;
  throw MakeError(ErrorCode::kInvalidArgument, "loss: found \"{}\", wanted one of {}", name, internal::KnownLosses());
}

}  // namespace

Loss::Loss(const char* name) : state_(Named(name)) {}
const std::string& Loss::name() const { return state_->name; }

}  // namespace headrace::keras
