// What graphs make of strings: dense features of serialized Examples, and raw bytes as numbers. None of it is computed
// in our graph: each becomes an input of it, with a description of how to decode it (string_decoding.h).
#include <algorithm>
#include <cstring>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

using From = DecodedTensor::Source;

constexpr int64_t kMaxStrings = 1 << 16;  // of a constant, and features of a node

bool KeepsElements(const std::string& op) {
  return op == "Identity" || op == "Reshape" || op == "ExpandDims" || op == "Squeeze";
}

// The decimal digits of constant numbers.
Result<std::vector<std::string>> DigitsOf(const GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const auto numbers, importer.IntsInput(node, 0));
  if (static_cast<int64_t>(numbers.size()) > kMaxStrings)
    return Fail(ErrorCode::kInvalidArgument, "{}: {} strings, wanted at most {}", Describe(node), numbers.size(),
                kMaxStrings);
  std::vector<std::string> digits;
  for (const int64_t number : numbers) digits.push_back(std::to_string(number));
  return digits;
}

// The strings of a Const, the last one repeated.
Result<std::vector<std::string>> StringsOf(const GraphImporter& importer, const tf::NodeDef& node) {
  if (IsPlainAsString(node)) return DigitsOf(importer, node);
  const auto value = node.attr().find("value");
  if (node.op() != "Const" || value == node.attr().end() || value->second.tensor().dtype() != tf::DT_STRING)
    return Fail(ErrorCode::kInvalidArgument, "{}: wanted a constant of strings", Describe(node));
  const tf::TensorProto& proto = value->second.tensor();
  HEADRACE_ASSIGN(const Shape shape, ShapeFromProto(proto.tensor_shape(), Describe(node)));
  int64_t count = 1;
  for (const int64_t dim : shape.dims()) count = dim < 0 ? kMaxStrings + 1 : std::min(count * dim, kMaxStrings + 1);
  if (count > kMaxStrings || proto.string_val_size() > count)
    return Fail(ErrorCode::kInvalidArgument, "{}: {} strings for shape {}, wanted at most {}", Describe(node),
                proto.string_val_size(), shape.ToString(), kMaxStrings);
  std::vector<std::string> strings(proto.string_val().begin(), proto.string_val().end());
  strings.resize(static_cast<size_t>(count), strings.empty() ? "" : strings.back());
  return strings;
}

// A dense feature as a node of either form of ParseExample states it.
struct Dense {
  std::string key;
  tf::DataType type = tf::DT_INVALID;
  Shape shape;            // of a row
  int default_input = 0;  // of the node
};

Status RefuseOthers(const tf::NodeDef& node, int64_t sparse, int64_t ragged) {
  if (sparse == 0 && ragged == 0) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "{}: it parses {} sparse and {} ragged features, wanted dense ones of fixed length (FixedLenFeature)",
              Describe(node), sparse, ragged);
}

// The keys, and the number of the first input with a default.
struct Keys {
  std::vector<std::string> list;
  int defaults = 0;
};
Result<Keys> KeysOf(const GraphImporter& importer, const tf::NodeDef& node) {
  Keys keys;
  if (node.op() == "ParseExampleV2") {  // serialized, names, sparse keys, dense keys, ragged keys, defaults…
    const int64_t ragged = ListSize(node, "ragged_value_types");
    HEADRACE_TRY(RefuseOthers(node, IntAttribute(node, "num_sparse", 0), ragged));
    HEADRACE_ASSIGN(keys.list, ConstantStrings(importer, node, 3));
    keys.defaults = 5;
    return keys;
  }
  // serialized, names, a key a sparse feature, a key a dense one, defaults…
  HEADRACE_TRY(RefuseOthers(node, IntAttribute(node, "Nsparse", 0), 0));
  const int64_t count = IntAttribute(node, "Ndense", 0);
  if (count < 0 || count > kMaxStrings) return Fail(ErrorCode::kDataLoss, "{}: Ndense is {}", Describe(node), count);
  for (int d = 0; d < static_cast<int>(count); ++d) {
    HEADRACE_ASSIGN(auto key, ConstantStrings(importer, node, 2 + d));
    if (key.size() != 1) return Fail(ErrorCode::kDataLoss, "{}: {} names of one feature", Describe(node), key.size());
    keys.list.push_back(std::move(key[0]));
  }
  keys.defaults = 2 + static_cast<int>(count);
  return keys;
}

Result<std::vector<Dense>> DenseFeatures(const GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Keys keys, KeysOf(importer, node));
  const auto types = node.attr().find("Tdense"), shapes = node.attr().find("dense_shapes");
  const auto count = static_cast<int>(keys.list.size());
  if (types == node.attr().end() || shapes == node.attr().end() || types->second.list().type_size() != count ||
      shapes->second.list().shape_size() != count)
    return Fail(ErrorCode::kDataLoss, "{}: {} features, but not as many types and shapes", Describe(node), count);
  std::vector<Dense> features;
  for (int d = 0; d < count; ++d) {
    const std::string& key = keys.list[static_cast<size_t>(d)];
    HEADRACE_ASSIGN(Shape shape, ShapeFromProto(shapes->second.list().shape(d), Describe(node)));
    for (const int64_t dim : shape.dims())
      if (dim < 1)
        return Fail(ErrorCode::kInvalidArgument, "{}: feature '{}' has shape {}, wanted a fixed length", Describe(node),
                    key, shape.ToString());
    features.push_back({key, types->second.list().type(d), std::move(shape), keys.defaults + d});
  }
  return features;
}

Shape WithBatch(const Shape& row) {
  std::vector<int64_t> dims = row.dims();
  dims.insert(dims.begin(), -1);
  return Shape(std::move(dims));
}

// The default of a feature of numbers as a row's bytes; none when it has none.
Result<std::optional<std::string>> NumbersDefault(const GraphImporter& importer, const tf::NodeDef& node,
                                                  const Dense& feature, DType dtype) {
  HEADRACE_ASSIGN(const Constant constant, importer.ConstantInput(node, feature.default_input));
  const Tensor& value = constant.value;
  if (value.size() == 0) return std::optional<std::string>();
  if (value.dtype() != dtype || value.shape() != feature.shape)
    return Fail(ErrorCode::kInvalidArgument, "{}: the default of feature '{}' is {} {}, wanted {} {}", Describe(node),
                feature.key, NameOf(value.dtype()), value.shape().ToString(), NameOf(dtype), feature.shape.ToString());
  return std::optional(std::string(static_cast<const char*>(value.raw()), value.bytes()));
}

Result<Item> ImportNumbers(GraphImporter& importer, const tf::NodeDef& node, const Dense& feature, size_t input) {
  const bool floats = feature.type == tf::DT_FLOAT;
  DecodedTensor tensor{input,
                       floats ? From::kFloats : From::kInt64s,
                       feature.key,
                       floats ? DType::kFloat32 : DType::kInt64,
                       WithBatch(feature.shape),
                       std::nullopt};
  HEADRACE_ASSIGN(tensor.fallback, NumbersDefault(importer, node, feature, tensor.dtype));
  return importer.EmitInput(node, std::move(tensor));
}

Result<Item> ImportBytes(GraphImporter& importer, const tf::NodeDef& node, const Dense& feature, size_t input) {
  HEADRACE_ASSIGN(const auto fallback, ConstantStrings(importer, node, feature.default_input));
  const int64_t count = feature.shape.size();
  if (!fallback.empty() && static_cast<int64_t>(fallback.size()) != count)
    return Fail(ErrorCode::kInvalidArgument, "{}: feature '{}' has {} default values, wanted {}", Describe(node),
                feature.key, fallback.size(), feature.shape.ToString());
  importer.Check({input, feature.key, count, fallback.empty()});
  DecodedTensor tensor{input, From::kFeatureBytes, feature.key, DType::kUInt8, {}, std::nullopt};
  if (fallback.size() == 1) tensor.fallback = fallback[0];
  return Item(StringValue{std::move(tensor), WithBatch(feature.shape)});
}

Result<StringValue> StringInput(const GraphImporter& importer, const tf::NodeDef& node, int i) {
  HEADRACE_ASSIGN(Item item, importer.Input(node, i));
  if (auto* value = std::get_if<StringValue>(&item)) return std::move(*value);
  const auto source = importer.index().Input(node, i);
  return Fail(ErrorCode::kInvalidArgument, "{}: its strings are {}, wanted the signature's input or a feature of it",
              Describe(node), Describe(*source->first));
}

// DecodeRaw's types that our graphs read.
Result<DType> RawType(const tf::NodeDef& node) {
  const auto found = node.attr().find("out_type");
  const auto type = found == node.attr().end() ? tf::DT_INVALID : found->second.type();
  const auto dtype = DTypeFromProto(type, "");
  if (!dtype || *dtype == DType::kBFloat16)
    return Fail(ErrorCode::kInvalidArgument, "{}: its out_type is {}, wanted uint8, int32, int64 or float32",
                Describe(node),
                tf::DataType_IsValid(type) ? tf::DataType_Name(type) : std::to_string(static_cast<int>(type)));
  return *dtype;
}

}  // namespace

Result<std::vector<std::string>> ConstantStrings(const GraphImporter& importer, const tf::NodeDef& node, int i) {
  HEADRACE_ASSIGN(auto source, importer.index().Input(node, i));
  while (KeepsElements(source.first->op())) {  // ends, as what a node needs was ordered before it
    HEADRACE_ASSIGN(source, importer.index().Input(*source.first, 0));
  }
  return StringsOf(importer, *source.first);
}

Result<Items> ImportParseExample(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const StringValue serialized, StringInput(importer, node, 0));
  if (serialized.shape.rank() != 1 || serialized.tensor.source != From::kStringBytes)
    return Fail(ErrorCode::kInvalidArgument, "{}: it parses strings of shape {}, wanted an input of one a row",
                Describe(node), serialized.shape.ToString());
  HEADRACE_ASSIGN(const auto features, DenseFeatures(importer, node));
  Items items;
  for (const Dense& feature : features) {
    const bool numbers = feature.type == tf::DT_FLOAT || feature.type == tf::DT_INT64;
    if (!numbers && feature.type != tf::DT_STRING)
      return Fail(ErrorCode::kDataLoss, "{}: feature '{}' is of no type that Examples have", Describe(node),
                  feature.key);
    HEADRACE_ASSIGN(Item item, numbers ? ImportNumbers(importer, node, feature, serialized.tensor.input)
                                       : ImportBytes(importer, node, feature, serialized.tensor.input));
    items.push_back(std::move(item));
  }
  if (items.empty()) items.push_back(Unknown{&node});
  return items;
}

Result<Item> ImportDecodeRaw(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(StringValue strings, StringInput(importer, node, 0));
  HEADRACE_ASSIGN(strings.tensor.dtype, RawType(node));
  if (strings.tensor.dtype != DType::kUInt8 && !BoolAttribute(node, "little_endian", true))
    return Fail(ErrorCode::kInvalidArgument, "{}: its bytes are big-endian, wanted little_endian", Describe(node));
  for (size_t axis = 1; axis < strings.shape.rank(); ++axis)
    if (strings.shape[axis] != 1)
      return Fail(ErrorCode::kInvalidArgument, "{}: it decodes strings of shape {}, wanted one a row", Describe(node),
                  strings.shape.ToString());
  return Item(RawValue{std::move(strings.tensor), &node});
}

Result<Item> ReshapeRaw(GraphImporter& importer, const tf::NodeDef& node, const RawValue& raw,
                        const std::vector<int64_t>& target) {
  const bool fixed = target.size() > 1 && target[0] == -1 &&
                     std::all_of(target.begin() + 1, target.end(), [](int64_t dim) { return dim > 0; });
  if (!fixed)
    return Fail(ErrorCode::kInvalidArgument, "{}: it reshapes what {} makes to {}, wanted (-1, …) and fixed sizes",
                Describe(node), Describe(*raw.cause), Shape(target).ToString());
  DecodedTensor tensor = raw.tensor;
  tensor.shape = Shape(target);
  return importer.EmitInput(node, std::move(tensor));
}

tl::unexpected<Error> FailRaw(const tf::NodeDef& node, const RawValue& raw) {
  return Fail(ErrorCode::kInvalidArgument, "{}: it takes what {} makes, whose size only a Reshape of fixed shape tells",
              Describe(node), Describe(*raw.cause));
}

}  // namespace headrace::savedmodel
