#include "savedmodel/import/graph_importer.h"

#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

// Elements of one sample's activation: beyond this a shape in a file is a mistake or an attack.
constexpr int64_t kMaxElements = int64_t{1} << 31;

Result<const tf::NodeDef*> FindTensor(const NodeIndex& index, const std::string& name) {
  HEADRACE_ASSIGN(const TensorRef ref, ParseTensorRef(name));
  const tf::NodeDef* node = index.Find(ref.node);
  if (node == nullptr || ref.control || ref.output != 0)
    return Fail(ErrorCode::kDataLoss, "the signature's tensor '{}' is not in the graph", name);
  return node;
}

tl::unexpected<Error> FailUnknown(const Unknown& unknown) {
  return Fail(ErrorCode::kInvalidArgument, "{}: Headrace does not know the operation {} in this place",
              Describe(*unknown.cause), unknown.cause->op());
}

}  // namespace

Result<keras::Graph> GraphImporter::Import(const std::string& input, const Shape& input_shape,
                                           const std::string& output) {
  HEADRACE_ASSIGN(input_, FindTensor(index_, input));
  HEADRACE_ASSIGN(const tf::NodeDef* last, FindTensor(index_, output));
  HEADRACE_ASSIGN(const auto order, index_.Order(*last));
  HEADRACE_ASSIGN(items_[input_], Emit(*input_, keras::InputOp{}, {}, input_shape));
  for (const tf::NodeDef* node : order) {
    if (node == input_) continue;
    HEADRACE_ASSIGN(items_[node], ImportNode(*node));
  }
  const Item& result = items_[last];
  if (const auto* unknown = std::get_if<Unknown>(&result)) return FailUnknown(*unknown);
  const auto* value = std::get_if<GraphValue>(&result);
  if (value == nullptr)
    return Fail(ErrorCode::kInvalidArgument, "{}: the output does not depend on the input", Describe(*last));
  graph_.output = value->index;
  return std::move(graph_);
}

Result<Item> GraphImporter::ImportNode(const tf::NodeDef& node) {
  const OperationHandler handler = FindOperation(node.op());
  if (handler == nullptr) return Item(Unknown{&node});
  return handler(*this, node);
}

Result<Item> GraphImporter::Input(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(const auto source, index_.Input(node, i));
  if (source.second != 0)
    return Fail(ErrorCode::kInvalidArgument, "{}: it reads output {} of {}, wanted output 0", Describe(node),
                source.second, Describe(*source.first));
  const auto item = items_.find(source.first);
  if (item == items_.end())
    return Fail(ErrorCode::kInternal, "{}: {} is not imported yet", Describe(node), Describe(*source.first));
  return item->second;
}

Result<int> GraphImporter::Activation(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(const Item item, Input(node, i));
  if (const auto* value = std::get_if<GraphValue>(&item)) return value->index;
  if (const auto* unknown = std::get_if<Unknown>(&item)) return FailUnknown(*unknown);
  const tf::NodeDef& source = *index_.Input(node, i)->first;
  return Fail(ErrorCode::kInvalidArgument,
              "{}: its input {} is the constant {}, wanted something computed from the input", Describe(node), i,
              Describe(source));
}

Result<Constant> GraphImporter::ConstantInput(const tf::NodeDef& node, int i) const {
  HEADRACE_ASSIGN(Item item, Input(node, i));
  if (auto* constant = std::get_if<Constant>(&item)) return std::move(*constant);
  if (const auto* unknown = std::get_if<Unknown>(&item)) return FailUnknown(*unknown);
  const tf::NodeDef& source = *index_.Input(node, i)->first;
  return Fail(ErrorCode::kInvalidArgument, "{}: its input {} is {}, wanted a constant or a variable's value",
              Describe(node), i, Describe(source));
}

Result<keras::VariablePtr> GraphImporter::Weight(const tf::NodeDef& node, int i, size_t rank, bool trainable) const {
  HEADRACE_ASSIGN(Constant constant, ConstantInput(node, i));
  if (constant.value.dtype() != DType::kFloat32 || (rank > 0 && constant.value.shape().rank() != rank))
    return Fail(ErrorCode::kInvalidArgument, "{}: its weight '{}' is {} {}, wanted float32 of {} dimensions",
                Describe(node), constant.name, NameOf(constant.value.dtype()), constant.value.shape().ToString(), rank);
  return std::make_shared<keras::Variable>(keras::Variable{constant.name, trainable, constant.value});
}

Result<Item> GraphImporter::Emit(const tf::NodeDef& node, keras::Operation op, std::vector<int> inputs, Shape shape,
                                 std::vector<keras::VariablePtr> variables) {
  int64_t elements = 1;
  for (size_t axis = 1; axis < shape.rank(); ++axis)
    if (shape[axis] < 1 || __builtin_mul_overflow(elements, shape[axis], &elements) || elements > kMaxElements)
      return Fail(ErrorCode::kInvalidArgument, "{}: its output would have shape {}", Describe(node), shape.ToString());
  return Item(GraphValue{
      graph_.Append({std::move(op), node.name(), std::move(inputs), std::move(shape), std::move(variables)})});
}

}  // namespace headrace::savedmodel
