// Between TensorFlow's messages for types, shapes and constants and our own.
#pragma once

#include <string>

#include "headrace/tensor.h"

#include "base/result.h"
#include "savedmodel/proto/graph.pb.h"

namespace headrace::savedmodel {

tf::DataType ToProto(DType dtype);
// `what` names the owner in messages. Other types are refused.
Result<DType> DTypeFromProto(tf::DataType dtype, const std::string& what);

void ToProto(const Shape& shape, tf::TensorShapeProto* proto);
// Dimensions below -1, an unknown rank and more than 2^62 elements are refused; -1 is allowed.
Result<Shape> ShapeFromProto(const tf::TensorShapeProto& proto, const std::string& what);

// A constant. At most `max_bytes` are allocated: a short message can describe a large tensor by repeating its last
// value.
Result<Tensor> TensorFromProto(const tf::TensorProto& proto, const std::string& what,
                               size_t max_bytes = size_t{1} << 28);

}  // namespace headrace::savedmodel
