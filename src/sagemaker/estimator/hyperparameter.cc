#include <charconv>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {

Hyperparameter::Hyperparameter(const std::string& text)
    : json_(Json(text).dump(-1, ' ', true, Json::error_handler_t::replace)) {}  // non-ASCII as \u, as Python writes it

std::string Hyperparameter::OfNumber(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

}  // namespace headrace::sagemaker
