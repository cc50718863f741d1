// InputLayer: the source of a model's graph.
#include "base/result.h"
#include "keras/layers/checks.h"
#include "keras/layers/config.h"

namespace headrace::keras::internal {
namespace {

Shape WithBatch(const Shape& shape) {
  std::vector<int64_t> dims = {-1};
  for (const int64_t dim : shape.dims()) {
    if (dim < 1)
      throw MakeError(ErrorCode::kInvalidArgument, "input shape: found {}, wanted positive sizes without the batch",
                      shape.ToString());
    CheckPositive("input", "shape", dim);
    dims.push_back(dim);
  }
  if (dims.size() == 1)
    throw MakeError(ErrorCode::kInvalidArgument, "input shape: found none, wanted the sizes of one sample");
  return Shape(std::move(dims));
}

}  // namespace

InputLayer::InputLayer(Shape shape) : shape_(WithBatch(shape)) {}

int InputLayer::Lower(Graph& graph, const std::vector<int>&) const {
  return graph.Append({InputOp{}, name, {}, shape_, {}});
}

// batch_input_shape is what Keras 2 reads; Keras 3 takes it as batch_shape.
nlohmann::json InputLayer::Config() const {
  nlohmann::json dims = nlohmann::json::array({nullptr});
  for (size_t axis = 1; axis < shape_.rank(); ++axis) dims.push_back(shape_[axis]);
  return {{"batch_input_shape", std::move(dims)}, {"sparse", false}, {"ragged", false}};
}

std::shared_ptr<LayerState> InputLayerFromConfig(const LayerConfig& config) {
  return std::make_shared<InputLayer>(InputShapeFromConfig(config));
}

}  // namespace headrace::keras::internal
