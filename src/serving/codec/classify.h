// What classify and regress take of a signature, with TensorFlow Serving's messages where it does not fit.
#pragma once

#include <optional>
#include <string>

#include "headrace/tensor.h"

#include "base/result.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

// The output that holds the scores: the one named "scores", or the only one; of two dimensions.
Result<size_t> ClassifyOutput(const Signature& signature);
// The output that holds the classes' labels, the strings named "classes"; or none. Of the scores' shape.
Result<std::optional<size_t>> ClassesOutput(const Signature& signature);
// The output that holds the values: the one named "outputs", or the only one; one value a row.
Result<size_t> RegressOutput(const Signature& signature);
// With --enable_signature_method_name_check: that the signature was exported for `method` ("classify", "regress").
Status CheckMethodName(const Signature& signature, const std::string& method);

}  // namespace headrace::serving
