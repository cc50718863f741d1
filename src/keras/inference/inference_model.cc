#include "keras/inference/inference_model.h"

#include <algorithm>
#include <bit>

#include "keras/inference/optimize.h"

namespace headrace::keras {
namespace {

int64_t RowSize(const Shape& shape) {
  int64_t size = 1;
  for (size_t axis = 1; axis < shape.rank(); ++axis) size *= shape[axis];
  return size;
}

}  // namespace

InferenceModel::InferenceModel(const Graph& graph, std::shared_ptr<const tensor::Backend> backend,
                               InferenceOptions options)
    : graph_(internal::Optimize(graph)), backend_(std::move(backend)), options_(options) {
  max_piece_ = LargestPiece();
}

// Rows whose largest value and its neighbour fit the limit.
int64_t InferenceModel::LargestPiece() const {
  int64_t largest = 1;
  for (const Value& value : graph_.values) largest = std::max(largest, RowSize(value.shape));
  const auto bytes = static_cast<uint64_t>(largest) * 2 * SizeOf(options_.dtype);
  const uint64_t rows = std::clamp<uint64_t>(options_.max_piece_bytes / bytes, 1, options_.max_piece);
  return static_cast<int64_t>(std::bit_floor(rows));
}

std::vector<Shape> InferenceModel::input_shapes() const {
  std::vector<Shape> shapes;
  for (const Value& value : graph_.values)
    if (std::holds_alternative<InputOp>(value.op)) shapes.push_back(value.shape);
  return shapes;
}

std::vector<Shape> InferenceModel::output_shapes() const {
  std::vector<Shape> shapes;
  for (const int output : graph_.Outputs()) shapes.push_back(graph_.values[static_cast<size_t>(output)].shape);
  return shapes;
}

InferenceRunner::InferenceRunner(std::shared_ptr<const InferenceModel> model)
    : model_(std::move(model)), chooser_(*model_->backend_, "direct") {}

InferenceRunner::~InferenceRunner() = default;

internal::Plan& InferenceRunner::PlanFor(int64_t rows) {
  auto& plan = plans_[rows];
  if (!plan) {
    internal::PlanOptions options{.batch = rows, .dtype = model_->options_.dtype};
    options.fixed_weights = &model_->weights_;
    plan = std::make_unique<internal::Plan>(model_->graph_, *model_->backend_, nullptr, chooser_, options);
  }
  return *plan;
}

std::vector<Tensor> InferenceRunner::Run(const std::vector<Tensor>& inputs) {
  const int64_t rows = inputs[0].dim(0);
  std::vector<Tensor> outputs;
  for (const Shape& shape : model_->output_shapes()) outputs.emplace_back(DType::kFloat32, WithRows(shape, rows));
  std::vector<Tensor> piece(inputs.size());
  for (int64_t begin = 0; begin < rows;) {
    const int64_t left = std::min(rows - begin, model_->max_piece_);
    const auto size = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(left)));
    for (size_t i = 0; i < inputs.size(); ++i) piece[i] = inputs[i].Slice(begin, begin + size);
    internal::Plan& plan = PlanFor(size);
    plan.Run(piece, {});
    for (size_t i = 0; i < outputs.size(); ++i) {
      Tensor part = outputs[i].Slice(begin, begin + size);
      model_->backend_->Convert(part.size(), model_->options_.dtype, plan.output(i), DType::kFloat32, part.raw());
    }
    begin += size;
  }
  return outputs;
}

}  // namespace headrace::keras
