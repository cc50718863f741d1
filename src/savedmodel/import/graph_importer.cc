#include "savedmodel/import/graph_importer.h"

#include <algorithm>
#include <iterator>

#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

// Elements of one sample's activation: beyond this a shape in a file is a mistake or an attack.
constexpr int64_t kMaxElements = int64_t{1} << 31;

struct Endpoint {
  const tf::NodeDef* node;
  int output;
};
Result<Endpoint> FindTensor(const NodeIndex& index, const std::string& name) {
  HEADRACE_ASSIGN(const TensorRef ref, ParseTensorRef(name));
  const tf::NodeDef* node = index.Find(ref.node);
  if (node == nullptr || ref.control)
    return Fail(ErrorCode::kDataLoss, "the signature's tensor '{}' is not in the graph", name);
  return Endpoint{node, ref.output};
}

tl::unexpected<Error> FailUnknown(const Unknown& unknown) {
  if (unknown.reason != nullptr)
    return Fail(ErrorCode::kInvalidArgument, "{}: {}", Describe(*unknown.cause), unknown.reason);
  return Fail(ErrorCode::kInvalidArgument, "{}: Headrace does not know the operation {} in this place",
              Describe(*unknown.cause), unknown.cause->op());
}

bool TakesStrings(OperationHandler handler) {
  constexpr OperationHandler kThese[] = {ImportIdentity, ImportReshape, ImportSqueeze,  ImportExpandDims,
                                         ImportShape,    ImportCast,    ImportDecodeRaw};
  return std::find(std::begin(kThese), std::end(kThese), handler) != std::end(kThese);
}
bool TakesStrings(ManyOutputsHandler handler) {
  constexpr ManyOutputsHandler kThese[] = {ImportIdentityN, ImportSwitch, ImportMerge, ImportParseExample};
  return std::find(std::begin(kThese), std::end(kThese), handler) != std::end(kThese);
}

}  // namespace

Result<keras::Graph> GraphImporter::Import(const std::vector<GraphInput>& inputs,
                                           const std::vector<std::string>& outputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const GraphInput& input = inputs[i];
    HEADRACE_ASSIGN(const Endpoint source, FindTensor(index_, input.tensor));
    if (source.output != 0 || items_.count(source.node) > 0)
      return Fail(ErrorCode::kDataLoss, "the signature's input '{}' is no node's first output, or an input twice",
                  input.tensor);
    decoding_.strings.push_back(input.strings);
    using From = DecodedTensor::Source;
    if (input.strings) {
      items_[source.node] = {StringValue{{i, From::kStringBytes, "", DType::kUInt8, {}, std::nullopt}, input.shape}};
      continue;
    }
    DecodedTensor as_it_is{i, From::kTensor, "", input.dtype, input.shape, std::nullopt};
    HEADRACE_ASSIGN(Item item, EmitInput(*source.node, std::move(as_it_is)));
    items_[source.node] = {std::move(item)};
  }
  for (const std::string& output : outputs) {
    HEADRACE_ASSIGN(const Endpoint source, FindTensor(index_, output));
    HEADRACE_ASSIGN(const auto order, index_.Order(*source.node));
    for (const tf::NodeDef* node : order) {
      if (items_.count(node) > 0) continue;
      HEADRACE_ASSIGN(Items items, ImportNode(*node));
      for (const Item& item : items)
        if (const auto* constant = std::get_if<Constant>(&item))
          HEADRACE_TRY(variables_.CountMade(*node, constant->value));
      items_[node] = std::move(items);
    }
  }
  for (const std::string& output : outputs) HEADRACE_TRY(AddOutput(output));
  if (computed_.empty())
    return Fail(ErrorCode::kInvalidArgument, "the output does not depend on the input: all are constants");
  graph_.output = computed_[0];
  graph_.more_outputs.assign(computed_.begin() + 1, computed_.end());
  return std::move(graph_);
}

Status GraphImporter::AddOutput(const std::string& output) {
  HEADRACE_ASSIGN(const Endpoint source, FindTensor(index_, output));
  const Items& items = items_.at(source.node);
  if (static_cast<size_t>(source.output) >= items.size())
    return Fail(ErrorCode::kDataLoss, "the signature's tensor '{}' is not in the graph", output);
  const Item& result = items[static_cast<size_t>(source.output)];
  if (const auto* unknown = std::get_if<Unknown>(&result)) return FailUnknown(*unknown);
  if (const auto* value = std::get_if<GraphValue>(&result)) {
    outputs_.push_back({.value = GraphOutputOf(value->index), .largest = std::nullopt, .shape = ShapeAt(value->index)});
  } else if (const auto* index = std::get_if<IndexValue>(&result)) {
    GraphOutput numbers{.value = GraphOutputOf(index->x), .largest = index->axis, .shape = index->shape};
    const int64_t count = index->as_text ? ShapeAt(index->x)[index->axis] : 0;
    for (int64_t i = 0; i < count; ++i) numbers.labels.push_back(std::to_string(i));
    outputs_.push_back(std::move(numbers));
  } else if (const auto* row = std::get_if<RowConstant>(&result)) {
    outputs_.push_back({std::nullopt, std::nullopt, row->row, row->strings, row->shape});
  } else {
    return Fail(ErrorCode::kInvalidArgument, "{}: the output does not depend on the input", Describe(*source.node));
  }
  return {};
}

// Where a value is among the graph's outputs, which it becomes one of.
size_t GraphImporter::GraphOutputOf(int value) {
  computed_.push_back(value);
  return computed_.size() - 1;
}

Result<Items> GraphImporter::ImportNode(const tf::NodeDef& node) {
  const auto handler = FindOperation(node.op());
  const auto many = FindManyOutputs(node.op());
  const bool takes_strings = TakesStrings(handler) || TakesStrings(many);
  if (many != ImportMerge) {
    for (int i = 0; i < DataInputs(node); ++i) {
      HEADRACE_ASSIGN(const Item item, Input(node, i));
      if (std::holds_alternative<Dead>(item)) return Items{Dead{}, Dead{}};
      if (takes_strings) continue;
      if (std::holds_alternative<StringValue>(item)) return Items{Unknown{&node}};
      if (const auto* raw = std::get_if<RawValue>(&item)) return FailRaw(node, *raw);
    }
  }
  if (handler != nullptr) {
    HEADRACE_ASSIGN(Item item, handler(*this, node));
    return Items{std::move(item)};
  }
  if (many != nullptr) return many(*this, node);
  return Items{Unknown{&node}};
}

StringDecoding GraphImporter::decoding() const {
  const bool any = std::find(decoding_.strings.begin(), decoding_.strings.end(), true) != decoding_.strings.end();
  return any ? decoding_ : StringDecoding();
}

Result<Item> GraphImporter::Input(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(const auto source, index_.Input(node, i));
  const auto items = items_.find(source.first);
  if (items == items_.end())
    return Fail(ErrorCode::kInternal, "{}: {} is not imported yet", Describe(node), Describe(*source.first));
  if (static_cast<size_t>(source.second) < items->second.size())
    return items->second[static_cast<size_t>(source.second)];
  if (std::holds_alternative<Unknown>(items->second[0])) return items->second[0];
  return Fail(ErrorCode::kInvalidArgument, "{}: it reads output {} of {}, wanted output 0", Describe(node),
              source.second, Describe(*source.first));
}

Result<int> GraphImporter::Activation(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(const Item item, Input(node, i));
  if (const auto* value = std::get_if<GraphValue>(&item)) return value->index;
  if (const auto* unknown = std::get_if<Unknown>(&item)) return FailUnknown(*unknown);
  const tf::NodeDef& source = *index_.Input(node, i)->first;
  if (std::holds_alternative<MergedValue>(item))
    return Fail(ErrorCode::kInvalidArgument, "{}: its input {}, {}, has the batch and other dimensions in one",
                Describe(node), i, Describe(source));
  if (std::holds_alternative<SpacedValue>(item) || std::holds_alternative<IndexValue>(item) ||
      std::holds_alternative<RowConstant>(item))
    return Fail(ErrorCode::kInvalidArgument, "{}: Headrace does not know the operation {} behind {}", Describe(node),
                node.op(), Describe(source));
  return Fail(ErrorCode::kInvalidArgument,
              "{}: its input {} is the constant {}, wanted something computed from the input", Describe(node), i,
              Describe(source));
}

bool GraphImporter::IsInteger(int value) const {
  const keras::Value& made = graph_.values[static_cast<size_t>(value)];
  if (const auto* pointwise = std::get_if<keras::PointwiseOp>(&made.op))
    return pointwise->kind == tensor::Pointwise::kTruncate;
  const bool moved = std::holds_alternative<keras::FlattenOp>(made.op) ||
                     std::holds_alternative<keras::SliceOp>(made.op) ||
                     std::holds_alternative<keras::TransposeOp>(made.op);
  return moved ? IsInteger(made.inputs[0]) : integer_inputs_.count(value) > 0;
}

Result<Constant> GraphImporter::ConstantInput(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(Item item, Input(node, i));
  if (auto* constant = std::get_if<Constant>(&item)) return std::move(*constant);
  if (const auto* unknown = std::get_if<Unknown>(&item)) return FailUnknown(*unknown);
  const tf::NodeDef& source = *index_.Input(node, i)->first;
  return Fail(ErrorCode::kInvalidArgument, "{}: its input {} is {}, wanted a constant or a variable's value",
              Describe(node), i, Describe(source));
}

Result<std::vector<int64_t>> GraphImporter::IntsInput(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(const Constant constant, ConstantInput(node, i));
  const Tensor& value = constant.value;
  if (value.dtype() == DType::kInt64)
    return std::vector<int64_t>(value.data<int64_t>(), value.data<int64_t>() + value.size());
  if (value.dtype() == DType::kInt32)
    return std::vector<int64_t>(value.data<int32_t>(), value.data<int32_t>() + value.size());
  return Fail(ErrorCode::kInvalidArgument, "{}: its input {} is {}, wanted whole numbers", Describe(node), i,
              NameOf(value.dtype()));
}

Result<keras::VariablePtr> GraphImporter::Weight(const tf::NodeDef& node, int i, size_t rank, bool trainable) const {
  HEADRACE_ASSIGN(Constant constant, ConstantInput(node, i));
  if (constant.value.dtype() != DType::kFloat32 || (rank > 0 && constant.value.shape().rank() != rank))
    return Fail(ErrorCode::kInvalidArgument, "{}: its weight '{}' is {} {}, wanted float32 of {} dimensions",
                Describe(node), constant.name, NameOf(constant.value.dtype()), constant.value.shape().ToString(), rank);
  return std::make_shared<keras::Variable>(keras::Variable{constant.name, trainable, constant.value});
}

Result<Item> GraphImporter::EmitInput(const tf::NodeDef& node, DecodedTensor tensor) {
  HEADRACE_ASSIGN(Item item, Emit(node, keras::InputOp{}, {}, tensor.shape));
  if (tensor.dtype != DType::kFloat32) integer_inputs_.insert(std::get<GraphValue>(item).index);
  decoding_.tensors.push_back(std::move(tensor));
  return item;
}

Result<Item> GraphImporter::Emit(const tf::NodeDef& node, keras::Operation op, std::vector<int> inputs, Shape shape,
                                 std::vector<keras::VariablePtr> variables) {
  int64_t elements = 1;
  bool fine = shape.rank() > 0;
  for (size_t axis = 1; axis < shape.rank() && fine; ++axis)
    fine = shape[axis] >= 1 && !__builtin_mul_overflow(elements, shape[axis], &elements) && elements <= kMaxElements;
  if (!fine)
    return Fail(ErrorCode::kInvalidArgument, "{}: its output would have shape {}", Describe(node), shape.ToString());
  return Item(GraphValue{
      graph_.Append({std::move(op), node.name(), std::move(inputs), std::move(shape), std::move(variables)})});
}

}  // namespace headrace::savedmodel
