// Strings as inputs. Our graphs read numbers, so what a graph of TensorFlow makes of its strings first (ParseExample,
// DecodeRaw) is described here, and done by whoever has the strings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "headrace/tensor.h"

namespace headrace::savedmodel {

// One input of a graph, and where its rows come from.
struct DecodedTensor {
  enum class Source : uint8_t {
    kTensor,        // the signature's input is no string, and read as it is
    kFloats,        // the float list of a feature, of as many values as a row has elements
    kInt64s,        // the int64 list, likewise
    kFeatureBytes,  // the little-endian elements in the only string of a feature
    kStringBytes,   // the little-endian elements in the input's string itself
  };
  size_t input = 0;  // of the signature
  Source source = Source::kTensor;
  std::string key;  // of the feature
  DType dtype = DType::kFloat32;
  Shape shape;  // [-1, …]
  // The bytes of the row where an Example lacks the feature; none: it must have it.
  std::optional<std::string> fallback;
};

// A feature of strings whose values no graph reads; an Example must have it all the same.
struct CheckedFeature {
  size_t input = 0;  // of the signature
  std::string key;
  int64_t count = 1;  // of strings
  bool required = true;
};

// Empty for a signature without strings, whose inputs are the graph's.
struct StringDecoding {
  std::vector<bool> strings;           // by input of the signature: whether clients send strings
  std::vector<DecodedTensor> tensors;  // by input of the graph
  std::vector<CheckedFeature> checked;
  bool empty() const { return tensors.empty(); }
};

}  // namespace headrace::savedmodel
