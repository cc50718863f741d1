// A graph's values as a signature's outputs: of its types, and for ArgMax the numbers of the largest elements.
#pragma once

#include <vector>

#include "headrace/tensor.h"

#include "savedmodel/import/graph_importer.h"
#include "serving/codec/signature.h"

namespace headrace::serving {

// values: float32, what the graph computes. Numbers out of the type's range, and NaN, are its least.
Tensor OutputOf(const std::vector<Tensor>& values, const savedmodel::GraphOutput& output, const TensorInfo& info);

}  // namespace headrace::serving
