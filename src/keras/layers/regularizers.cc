// Regularizers, and their configurations as Keras writes them.
#include "base/result.h"
#include "keras/layers/config.h"

namespace headrace::keras {

Regularizer::Regularizer(float l1, float l2) : l1_(l1), l2_(l2) {
  if (!(l1 >= 0) || !(l2 >= 0))
    throw MakeError(ErrorCode::kInvalidArgument, "regularizer: found factors {} and {}, wanted 0 or more", l1, l2);
}

Regularizer::Regularizer(const char* name) {
  const std::string found = name;
  if (found != "l1" && found != "l2" && found != "l1_l2")
    throw MakeError(ErrorCode::kInvalidArgument,
                    "regularizer: found \"{}\", wanted \"l1\", \"l2\" or \"l1_l2\", or L1(…), L2(…), L1L2(…)", found);
  if (found != "l2") l1_ = 0.01f;
  if (found != "l1") l2_ = 0.01f;
}

namespace internal {

using nlohmann::json;

json RegularizerConfig(const Regularizer& regularizer) {
  if (!regularizer) return nullptr;
  json config = json::object();
  if (regularizer.l1() != 0) config["l1"] = ShortestDouble(regularizer.l1());
  if (regularizer.l2() != 0) config["l2"] = ShortestDouble(regularizer.l2());
  const char* class_name = config.size() == 2 ? "L1L2" : regularizer.l1() != 0 ? "L1" : "L2";
  return {{"module", "keras.regularizers"},
          {"class_name", class_name},
          {"config", std::move(config)},
          {"registered_name", nullptr}};
}

Regularizer LayerConfig::Regularizer(const char* key) const {
  const json* value = Find(key);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string()) return keras::Regularizer(value->get<std::string>());
  const std::string class_name = value->at("class_name").get<std::string>();
  const json& config = value->at("config");
  if (class_name != "L1" && class_name != "L2" && class_name != "L1L2")
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found {}, wanted L1, L2 or L1L2", name_, key, class_name);
  return L1L2(config.value("l1", 0.0f), config.value("l2", 0.0f));
}

}  // namespace internal
}  // namespace headrace::keras
