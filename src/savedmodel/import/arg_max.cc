// ArgMax: numbers of largest elements. They are whole numbers that activations, bfloat16 at times, could not hold, so
// they are taken from a value behind the graph (LoadedGraph::outputs).
#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {

Result<Item> ImportArgMax(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto axes, importer.IntsInput(node, 1));
  const Shape in = importer.ShapeAt(x);
  const int64_t axis = axes.size() == 1 ? WrapAxis(axes[0], in.rank()) : -1;
  if (axis < 1 || axis >= static_cast<int64_t>(in.rank()))
    return Fail(ErrorCode::kInvalidArgument, "{}: the largest of {} along {}, wanted one axis but the batch",
                Describe(node), in.ToString(), Shape(axes).ToString());
  std::vector<int64_t> dims = in.dims();
  dims.erase(dims.begin() + axis);
  return Item(IndexValue{x, static_cast<size_t>(axis), Shape(std::move(dims))});
}

}  // namespace headrace::savedmodel
