// The answer to GET /v1/models/NAME/metadata, as TensorFlow Serving prints it.
#pragma once

#include <cstdint>
#include <string>

#include "serving/proto/inference.pb.h"

namespace headrace::serving {

std::string MetadataJson(const std::string& model, int64_t version,
                         const ::tensorflow::serving::SignatureDefMap& definitions);

}  // namespace headrace::serving
