// Runs operations of headrace/ops.h on given values, for test_ops.py, which compares them with keras.ops.
//
// usage: ops_tool DIR
// DIR/job.json is a list of {"name", "a": shape, "b": shape, "y": shape}, NAME_a.f32, NAME_b.f32 and NAME_factors.f32
// (of y's shape) their values. Writes NAME_y.f32, and NAME_da.f32, NAME_db.f32: the gradients of sum(y * factors).
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "headrace/keras.h"
#include "headrace/ops.h"

#include "keras/engine.h"
#include "keras/model_state.h"

namespace {

using namespace headrace;
using namespace headrace::keras;
using T = KerasTensor;

std::string directory;

Tensor Read(const std::string& name, const Shape& shape) {
  Tensor tensor(DType::kFloat32, shape);
  std::ifstream file(directory + "/" + name + ".f32", std::ios::binary);
  if (!file.read(static_cast<char*>(tensor.raw()), static_cast<std::streamsize>(tensor.bytes())))
    throw Error(ErrorCode::kNotFound, name + ": missing or too short");
  return tensor;
}

void Write(const std::string& name, const Tensor& tensor) {
  std::ofstream file(directory + "/" + name + ".f32", std::ios::binary);
  file.write(static_cast<const char*>(tensor.raw()), static_cast<std::streamsize>(tensor.bytes()));
}

using Unary = T (*)(const T&);
std::function<T(T, T)> Of(Unary f) {
  return [f](const T& a, const T&) { return f(a); };
}
using Combining = T (*)(const Operand&, const Operand&);
std::function<T(T, T)> Both(Combining f) {
  return [f](const T& a, const T& b) { return f(a, b); };
}
using Reducing = T (*)(const T&, const Axes&, bool);
std::function<T(T, T)> Over(Reducing f, Axes axes, bool keepdims) {
  return [=](const T& a, const T&) { return f(a, axes, keepdims); };
}
std::function<T(T, T)> Einsum(const char* text) {
  return [text](const T& a, const T& b) { return ops::einsum(text, {a, b}); };
}

const std::map<std::string, std::function<T(T, T)>> kCases = {
    {"add", Both(ops::add)},
    {"subtract", Both(ops::subtract)},
    {"multiply", Both(ops::multiply)},
    {"divide", Both(ops::divide)},
    {"divide_no_nan", [](T a, T b) { return ops::divide_no_nan(a, ops::relu(b)); }},
    {"floor_divide", Both(ops::floor_divide)},
    {"mod", Both(ops::mod)},
    {"power", Both(ops::power)},
    {"maximum", Both(ops::maximum)},
    {"minimum", Both(ops::minimum)},
    {"logaddexp", Both(ops::logaddexp)},
    {"equal", [](T a, T) { return ops::equal(ops::round(a), ops::trunc(a)); }},
    {"not_equal", [](T a, T) { return ops::not_equal(ops::floor(a), ops::ceil(a - 1)); }},
    {"less", Both(ops::less)},
    {"less_equal", Both(ops::less_equal)},
    {"greater", Both(ops::greater)},
    {"greater_equal", Both(ops::greater_equal)},
    {"logical_and", [](T a, T b) { return ops::logical_and(a > 0, b > 0); }},
    {"logical_or", [](T a, T b) { return ops::logical_or(a > 0, b > 0); }},
    {"logical_xor", [](T a, T b) { return ops::logical_xor(a > 0, b > 0); }},
    {"logical_not", [](T a, T) { return ops::logical_not(ops::relu(a)); }},
    {"where", [](T a, T b) { return ops::where(a > b, a * a, b); }},
    {"where_number", [](T a, T) { return ops::where(a > 0, a, 0.5); }},
    {"number_in_front", [](T a, T) { return 2 / a - 1.5f * (3 - a); }},
    {"abs", Of(ops::abs)},
    {"negative", Of(ops::negative)},
    {"sign", Of(ops::sign)},
    {"square", Of(ops::square)},
    {"sqrt", Of(ops::sqrt)},
    {"rsqrt", Of(ops::rsqrt)},
    {"reciprocal", Of(ops::reciprocal)},
    {"exp", Of(ops::exp)},
    {"exp2", Of(ops::exp2)},
    {"expm1", Of(ops::expm1)},
    {"log", Of(ops::log)},
    {"log1p", Of(ops::log1p)},
    {"log2", Of(ops::log2)},
    {"log10", Of(ops::log10)},
    {"sin", Of(ops::sin)},
    {"cos", Of(ops::cos)},
    {"tan", Of(ops::tan)},
    {"sinh", Of(ops::sinh)},
    {"cosh", Of(ops::cosh)},
    {"erf", Of(ops::erf)},
    {"floor", Of(ops::floor)},
    {"ceil", Of(ops::ceil)},
    {"round", [](T a, T) { return ops::round(a * 2) * 0.5; }},
    {"trunc", Of(ops::trunc)},
    {"isnan", [](T a, T) { return ops::isnan(ops::log(a)); }},
    {"isinf", [](T a, T) { return ops::isinf(ops::log(ops::relu(a))); }},
    {"isfinite", [](T a, T) { return ops::isfinite(ops::log(ops::relu(a))); }},
    {"clip", [](T a, T) { return ops::clip(a, -0.5f, 0.7f); }},
    {"cast", [](T a, T) { return ops::cast(a * 3, "int32"); }},
    {"stop_gradient", [](T a, T) { return a * ops::stop_gradient(a); }},
    {"relu", Of(ops::relu)},
    {"relu6", [](T a, T) { return ops::relu6(a * 5); }},
    {"leaky_relu", [](T a, T) { return ops::leaky_relu(a); }},
    {"sigmoid", Of(ops::sigmoid)},
    {"log_sigmoid", Of(ops::log_sigmoid)},
    {"hard_sigmoid", [](T a, T) { return ops::hard_sigmoid(a * 3); }},
    {"silu", Of(ops::silu)},
    {"hard_silu", [](T a, T) { return ops::hard_silu(a * 3); }},
    {"tanh", Of(ops::tanh)},
    {"hard_tanh", Of(ops::hard_tanh)},
    {"tanh_shrink", Of(ops::tanh_shrink)},
    {"elu", [](T a, T) { return ops::elu(a, 0.7f); }},
    {"celu", [](T a, T) { return ops::celu(a, 0.7f); }},
    {"selu", Of(ops::selu)},
    {"gelu", [](T a, T) { return ops::gelu(a); }},
    {"gelu_exact", [](T a, T) { return ops::gelu(a, false); }},
    {"softplus", Of(ops::softplus)},
    {"softsign", Of(ops::softsign)},
    {"squareplus", [](T a, T) { return ops::squareplus(a); }},
    {"softmax", [](T a, T) { return ops::softmax(a); }},
    {"softmax_axis", [](T a, T) { return ops::softmax(a, 1); }},
    {"log_softmax", [](T a, T) { return ops::log_softmax(a * 20); }},
    {"log_softmax_axis", [](T a, T) { return ops::log_softmax(a, 0); }},
    {"sum", Over(ops::sum, {}, false)},
    {"sum_axis", Over(ops::sum, {0, -1}, true)},
    {"mean", Over(ops::mean, 1, false)},
    {"max", Over(ops::max, -1, false)},
    {"min", Over(ops::min, {1, 2}, true)},
    {"var", Over(ops::var, -1, false)},
    {"std", Over(ops::std, {}, false)},
    {"any", [](T a, T) { return ops::any(a > 0.5, 1); }},
    {"all", [](T a, T) { return ops::all(a > -0.5, -1, true); }},
    {"count_nonzero", [](T a, T) { return ops::count_nonzero(ops::relu(a), 0); }},
    {"logsumexp", Over(ops::logsumexp, -1, false)},
    {"logsumexp_all", Over(ops::logsumexp, {}, false)},
    {"norm", Over(ops::norm, 1, false)},
    {"normalize", [](T a, T) { return ops::normalize(a); }},
    {"normalize_small", [](T a, T) { return ops::normalize(a * 3e-8); }},
    {"moments",
     [](T a, T) {
       const auto [mean, variance] = ops::moments(a, {0, 2});
       return ops::concatenate({mean, variance}, 0);
     }},
    {"moments_kept",
     [](T a, T) {
       const auto [mean, variance] = ops::moments(a, 1, true);
       return ops::concatenate({mean, variance}, 1);
     }},
    {"argmax", [](T a, T) { return ops::argmax(a, 1); }},
    {"argmin", [](T a, T) { return ops::argmin(a, -1, true); }},
    {"cumsum", [](T a, T) { return ops::cumsum(a, 1); }},
    {"reshape", [](T a, T) { return ops::reshape(a, {-1, 6}) * 2; }},
    {"transpose", [](T a, T) { return ops::transpose(a); }},
    {"transpose_axes", [](T a, T) { return ops::transpose(a, {1, 2, 0}); }},
    {"moveaxis", [](T a, T) { return ops::moveaxis(a, 0, -1); }},
    {"swapaxes", [](T a, T) { return ops::swapaxes(a, 0, 1); }},
    {"expand_dims", [](T a, T) { return ops::expand_dims(a, -1); }},
    {"squeeze", [](T, T b) { return ops::squeeze(b); }},
    {"concatenate", [](T a, T b) { return ops::concatenate({a, a * b}, 1); }},
    {"stack", [](T a, T b) { return ops::stack({a, a * b}, -1); }},
    {"split", [](T a, T) { return ops::split(a, 3, 1)[1]; }},
    {"split_indices", [](T a, T) { return ops::split(a, std::vector<int64_t>{1, 3}, -1)[1]; }},
    {"unstack", [](T a, T) { return ops::unstack(a, 1)[2]; }},
    {"get_item", [](T a, T) { return ops::get_item(a, 2, 1, 4, 2); }},
    {"flip", [](T a, T) { return ops::flip(a, {0, 2}); }},
    {"roll", [](T a, T) { return ops::roll(a, -1, 2); }},
    {"pad", [](T a, T) { return ops::pad(a, {{0, 1}, {2, 0}, {0, 0}}); }},
    {"tile", [](T a, T) { return ops::tile(a, {2, 1, 3}); }},
    {"repeat", [](T a, T) { return ops::repeat(a, 3, 1); }},
    {"broadcast_to", [](T, T b) { return ops::broadcast_to(b, {2, 3, 5}); }},
    {"matmul", [](T a, T b) { return ops::matmul(a, b); }},
    {"matmul_batched", [](T a, T b) { return ops::matmul(a, b); }},
    {"matmul_repeated", [](T a, T b) { return ops::matmul(a, b); }},
    {"matmul_left", [](T a, T b) { return ops::matmul(a, b); }},
    {"matmul_vector", [](T a, T b) { return ops::matmul(a, b); }},
    {"dot", [](T a, T b) { return ops::dot(a, b); }},
    {"tensordot", [](T a, T b) { return ops::tensordot(a, b, 2); }},
    {"bhqd,bhkd->bhqk", Einsum("bhqd,bhkd->bhqk")},
    {"abc,cd->abd", Einsum("abc,cd->abd")},
    {"ij,kj->ik", Einsum("ij,kj->ik")},
    {"bij,bjk->kib", Einsum("bij,bjk->kib")},
    {"i,j->ij", Einsum("i,j->ij")},
    {"bi,bi->b", Einsum("bi,bi->b")},
    {"abc,bd->ad", Einsum("abc,bd->ad")},
    {"take", [](T a, T) { return ops::take(a, ops::convert_to_tensor(Tensor::FromVector(std::vector<float>{2, 0, 2, 1}, {2, 2})), 1); }},
    {"take_last", [](T a, T) { return ops::take(a, ops::convert_to_tensor(Tensor::FromVector(std::vector<float>{2, 0, 2, 1}, {2, 2})), -1); }},
    {"one_hot", [](T a, T) { return ops::one_hot(ops::argmax(a, -1), 4, 1); }},
    {"tri", [](T a, T) { return a * ops::tri(4, 4, 1) + ops::eye(4); }},
    {"arange", [](T a, T) { return a * ops::arange(1, 9, 2) + ops::ones_like(a) + ops::full_like(a, 3); }},
    {"binary_crossentropy", [](T a, T b) { return ops::binary_crossentropy(b > 0, ops::sigmoid(a) * 0.9); }},
    {"categorical_crossentropy", [](T a, T) { return ops::categorical_crossentropy(ops::softmax(ops::stop_gradient(a * 2)), a, true); }},
    {"sparse_categorical_crossentropy", [](T a, T) { return ops::sparse_categorical_crossentropy(ops::argmax(a, -1), a, true); }},
};

// The two values are weights, the batch is one row of zeros.
class CaseLayer : public CustomLayer {
 public:
  CaseLayer(std::function<T(T, T)> function, Shape a, Shape b)
      : function_(std::move(function)), shape_a_(std::move(a)), shape_b_(std::move(b)) {}
  void build(const Shape&) override {
    a_ = add_weight("a", shape_a_);
    b_ = add_weight("b", shape_b_);
  }
  T call(const T& x) override {
    const T y = ops::expand_dims(function_(a_, b_), 0);
    std::vector<int64_t> dims(y.shape().rank(), 1);
    dims[0] = -1;
    return y + ops::reshape(x, dims);
  }

 private:
  std::function<T(T, T)> function_;
  Shape shape_a_, shape_b_;
  T a_, b_;
};

Shape ShapeOf(const nlohmann::json& dims) { return Shape(dims.get<std::vector<int64_t>>()); }

void Run(const nlohmann::json& job) {
  const std::string name = job.at("name"), file = job.at("file");
  const Shape a = ShapeOf(job.at("a")), b = ShapeOf(job.at("b"));
  Custom<CaseLayer> layer(kCases.at(name), a, b);
  const T input = Input({1});
  Model model(input, layer(input));
  model.weights()[0]->value = Read(file + "_a", a);
  model.weights()[1]->value = Read(file + "_b", b);
  const Loss loss([](const T& y_true, const T& y_pred) { return ops::sum(y_true * y_pred); });
  model.compile(SGD({.learning_rate = 0}), loss);
  keras::internal::Engine engine(model.state(), tensor::MakeOneDnnBackend());
  std::vector<int64_t> dims = ShapeOf(job.at("y")).dims();
  dims.insert(dims.begin(), 1);
  const Tensor x = Tensor::Zeros(DType::kFloat32, {1, 1});
  Tensor y(DType::kFloat32, Shape(dims));
  const std::vector<int64_t> found = model.output_shape().dims();
  if (!std::equal(found.begin() + 1, found.end(), dims.begin() + 1, dims.end()))
    throw Error(ErrorCode::kInternal, "found a result of shape " + model.output_shape().ToString());
  engine.PredictBatch(x, y);
  Write(file + "_y", y);
  engine.TrainBatch(x, Read(file + "_factors", Shape(dims)));
  Write(file + "_da", engine.gradient(0));
  Write(file + "_db", engine.gradient(1));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: ops_tool DIR\n", 2;
  directory = argv[1];
  for (const auto& job : nlohmann::json::parse(std::ifstream(directory + "/job.json"))) {
    try {
      Run(job);
    } catch (const std::exception& error) {
      std::cerr << "ops_tool: " << job.at("name") << ": " << error.what() << "\n";
      return 1;
    }
  }
}
