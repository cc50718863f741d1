#include <charconv>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {

Hyperparameter::Hyperparameter(const std::string& text) {
  try {
    json_ = Json(text).dump(-1, ' ', true);  // non-ASCII as \u, as Python writes it
  } catch (const Json::exception&) {
    ThrowInvalid("hyperparameter: found text that is not UTF-8");
  }
}

std::string Hyperparameter::OfNumber(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

}  // namespace headrace::sagemaker
