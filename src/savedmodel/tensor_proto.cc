#include "savedmodel/tensor_proto.h"

#include <cstring>

namespace headrace::savedmodel {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 62;
constexpr int kMaxRank = 254;

// The values given, the last one repeated; zeros when there are none.
template <typename T, typename Values>
Status Expand(const Values& values, Tensor& tensor, const std::string& what) {
  if (values.size() > tensor.size())
    return Fail(ErrorCode::kDataLoss, "{}: {} values for shape {}", what, values.size(), tensor.shape().ToString());
  T* out = tensor.data<T>();
  for (int64_t i = 0; i < tensor.size(); ++i)
    out[i] = values.empty() ? T{} : static_cast<T>(values[static_cast<int>(std::min<int64_t>(i, values.size() - 1))]);
  return {};
}

Status ExpandValues(const tf::TensorProto& proto, Tensor& tensor, const std::string& what) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return Expand<float>(proto.float_val(), tensor, what);
    case DType::kInt32:
      return Expand<int32_t>(proto.int_val(), tensor, what);
    case DType::kUInt8:
      return Expand<uint8_t>(proto.int_val(), tensor, what);
    case DType::kInt64:
      return Expand<int64_t>(proto.int64_val(), tensor, what);
    case DType::kBFloat16:
      return Expand<uint16_t>(proto.half_val(), tensor, what);
  }
  return {};
}

}  // namespace

tf::DataType ToProto(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return tf::DT_FLOAT;
    case DType::kBFloat16:
      return tf::DT_BFLOAT16;
    case DType::kUInt8:
      return tf::DT_UINT8;
    case DType::kInt32:
      return tf::DT_INT32;
    case DType::kInt64:
      return tf::DT_INT64;
  }
  return tf::DT_INVALID;
}

Result<DType> DTypeFromProto(tf::DataType dtype, const std::string& what) {
  switch (dtype) {
    case tf::DT_FLOAT:
      return DType::kFloat32;
    case tf::DT_BFLOAT16:
      return DType::kBFloat16;
    case tf::DT_UINT8:
      return DType::kUInt8;
    case tf::DT_INT32:
      return DType::kInt32;
    case tf::DT_INT64:
      return DType::kInt64;
    default:
      break;
  }
  const bool known = tf::DataType_IsValid(dtype);
  return Fail(ErrorCode::kInvalidArgument, "{}: its type is {}, wanted float32, bfloat16, uint8, int32 or int64", what,
              known ? tf::DataType_Name(dtype) : std::to_string(static_cast<int>(dtype)));
}

void ToProto(const Shape& shape, tf::TensorShapeProto* proto) {
  for (const int64_t dim : shape.dims()) proto->add_dim()->set_size(dim);
}

Result<Shape> ShapeFromProto(const tf::TensorShapeProto& proto, const std::string& what) {
  if (proto.unknown_rank()) return Fail(ErrorCode::kInvalidArgument, "{}: its shape has an unknown rank", what);
  if (proto.dim_size() > kMaxRank)
    return Fail(ErrorCode::kInvalidArgument, "{}: its shape has {} dimensions, wanted at most {}", what,
                proto.dim_size(), kMaxRank);
  std::vector<int64_t> dims;
  int64_t elements = 1;
  for (const auto& dim : proto.dim()) {
    const int64_t size = dim.size();
    if (size < -1) return Fail(ErrorCode::kDataLoss, "{}: a dimension of its shape is {}", what, size);
    if (size > 0 && (__builtin_mul_overflow(elements, size, &elements) || elements > kMaxElements))
      return Fail(ErrorCode::kDataLoss, "{}: its shape has too many elements", what);
    dims.push_back(size);
  }
  return Shape(std::move(dims));
}

Result<Tensor> TensorFromProto(const tf::TensorProto& proto, const std::string& what, size_t max_bytes) {
  HEADRACE_ASSIGN(const DType dtype, DTypeFromProto(proto.dtype(), what));
  HEADRACE_ASSIGN(Shape shape, ShapeFromProto(proto.tensor_shape(), what));
  for (const int64_t dim : shape.dims())
    if (dim < 0) return Fail(ErrorCode::kDataLoss, "{}: a constant of unknown shape {}", what, shape.ToString());
  if (static_cast<uint64_t>(shape.size()) > max_bytes / SizeOf(dtype))
    return Fail(ErrorCode::kResourceExhausted, "{}: a constant of shape {} exceeds the limit of {} bytes", what,
                shape.ToString(), max_bytes);
  const std::string& content = proto.tensor_content();
  const auto bytes = static_cast<size_t>(shape.size()) * SizeOf(dtype);
  if (!content.empty() && content.size() != bytes)
    return Fail(ErrorCode::kDataLoss, "{}: {} bytes of content for shape {}, wanted {}", what, content.size(),
                shape.ToString(), bytes);
  Tensor tensor(dtype, std::move(shape));
  if (content.empty()) {
    HEADRACE_TRY(ExpandValues(proto, tensor, what));
  } else {
    std::memcpy(tensor.raw(), content.data(), bytes);
  }
  return tensor;
}

}  // namespace headrace::savedmodel
