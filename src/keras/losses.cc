// Losses by name.
#include <string_view>

#include "headrace/keras.h"

#include "base/result.h"

namespace headrace::keras {
namespace {

Loss::Kind KindOf(std::string_view name) {
  if (name == "categorical_crossentropy") return Loss::Kind::kCategoricalCrossentropy;
  if (name == "sparse_categorical_crossentropy") return Loss::Kind::kSparseCategoricalCrossentropy;
  throw MakeError(ErrorCode::kInvalidArgument,
                  "loss: found \"{}\", wanted \"categorical_crossentropy\" or \"sparse_categorical_crossentropy\"",
                  name);
}

}  // namespace

Loss::Loss(const char* name) : kind_(KindOf(name)) {}

std::string Loss::name() const {
  return kind_ == Kind::kCategoricalCrossentropy ? "categorical_crossentropy" : "sparse_categorical_crossentropy";
}

}  // namespace headrace::keras
