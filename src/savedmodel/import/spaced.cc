// Dilated convolutions as TensorFlow writes them for processors: SpaceToBatchND puts rows and columns that the kernel
// skips into the batch, a plain convolution follows, BatchToSpaceND puts them back. Together they are one of ours.
#include <algorithm>

#include "savedmodel/import/attributes.h"
#include "savedmodel/import/operations.h"

namespace headrace::savedmodel {
namespace {

constexpr int64_t kMaxStep = int64_t{1} << 20;

bool AllWithin(const std::vector<int64_t>& list, size_t size, int64_t low) {
  return list.size() == size &&
         std::all_of(list.begin(), list.end(), [&](int64_t value) { return value >= low && value <= kMaxStep; });
}

}  // namespace

Result<Item> ImportSpaceToBatch(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const int x, importer.Activation(node, 0));
  HEADRACE_ASSIGN(const auto block, importer.IntsInput(node, 1));
  HEADRACE_ASSIGN(const auto padding, importer.IntsInput(node, 2));
  const Shape in = importer.ShapeAt(x);
  bool fits = in.rank() == 4 && AllWithin(block, 2, 1) && AllWithin(padding, 4, 0);
  for (size_t axis = 0; fits && axis < 2; ++axis)
    fits = (in[axis + 1] + padding[2 * axis] + padding[2 * axis + 1]) % block[axis] == 0;
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument, "{}: blocks of {} with paddings {} from {}, wanted rows and columns",
                Describe(node), Shape(block).ToString(), Shape(padding).ToString(), in.ToString());
  return Item(SpacedValue{x, block, padding, nullptr, 1});
}

Result<Item> ConvolveSpaced(const tf::NodeDef& node, const SpacedValue& spaced, keras::VariablePtr kernel,
                            int64_t groups) {
  HEADRACE_ASSIGN(const auto strides, SpatialAttribute(node, "strides"));
  HEADRACE_ASSIGN(const auto dilations, SpatialAttribute(node, "dilations"));
  const bool plain = strides == std::array<int64_t, 2>{1, 1} && dilations == strides;
  if (!plain || StringAttribute(node, "padding", "") != "VALID" || spaced.kernel != nullptr)
    return Fail(ErrorCode::kInvalidArgument,
                "{}: between SpaceToBatchND and BatchToSpaceND, wanted one convolution, VALID, of strides 1",
                Describe(node));
  SpacedValue convolved = spaced;
  convolved.kernel = std::move(kernel);
  convolved.groups = groups;
  return Item(std::move(convolved));
}

Result<Item> ImportBatchToSpace(GraphImporter& importer, const tf::NodeDef& node) {
  HEADRACE_ASSIGN(const Item item, importer.Input(node, 0));
  if (std::holds_alternative<Unknown>(item)) return item;
  HEADRACE_ASSIGN(const auto block, importer.IntsInput(node, 1));
  HEADRACE_ASSIGN(const auto crops, importer.IntsInput(node, 2));
  const auto* spaced = std::get_if<SpacedValue>(&item);
  if (spaced == nullptr || spaced->kernel == nullptr || spaced->block != block || !AllWithin(crops, 4, 0))
    return Fail(ErrorCode::kInvalidArgument, "{}: wanted a convolution behind SpaceToBatchND of the same blocks",
                Describe(node));
  const Shape in = importer.ShapeAt(spaced->x), k = spaced->kernel->value.shape();
  // A place cropped is a place not computed: so much less padding.
  std::vector<int64_t> padding = spaced->padding;
  for (size_t i = 0; i < 4; ++i) padding[i] -= crops[i];
  if (!AllWithin(padding, 4, 0))
    return Fail(ErrorCode::kInvalidArgument, "{}: it crops {}, wanted at most the paddings {}", Describe(node),
                Shape(crops).ToString(), Shape(spaced->padding).ToString());
  const keras::Conv2DOp op = {1,          1,          block[0],   block[1], padding[0],
                              padding[1], padding[2], padding[3], false,    spaced->groups};
  const Shape shape = {-1, in[1] + padding[0] + padding[1] - (k[0] - 1) * block[0],
                       in[2] + padding[2] + padding[3] - (k[1] - 1) * block[1], k[3]};
  return importer.Emit(node, op, {spaced->x}, shape, {spaced->kernel});
}

}  // namespace headrace::savedmodel
