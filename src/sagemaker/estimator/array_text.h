// Arrays as endpoints read and write them: JSON, NumPy's format, CSV.
#pragma once

#include <string>
#include <string_view>

#include "headrace/sagemaker.h"

namespace headrace::sagemaker {

// kInvalidArgument when the values are not the dimensions' product, or of a type that goes into no text.
std::string ArrayAsJson(const TensorView& array);  // nested lists; NaN and Infinity as TensorFlow Serving reads them
std::string ArrayAsNpy(const TensorView& array);   // version 1.0, C order
std::string ArrayAsCsv(const TensorView& array);   // a line for each row of the first dimension

// What a reply has under "predictions" or "outputs", or itself: nested lists of numbers of one shape. kDataLoss.
Array ArrayOfJson(std::string_view body);

}  // namespace headrace::sagemaker
