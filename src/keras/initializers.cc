// Initial weights. Formulas are Keras's (initializers/random_initializers.py): a variance from the fans, drawn from a
// uniform distribution or from a normal one cut off at two standard deviations. Keras's own random streams cannot be
// had here; ours depend on seed, stream and element alone.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "base/result.h"
#include "keras/initializer_state.h"
#include "keras/layer_state.h"
#include "keras/philox.h"

namespace headrace::keras {
namespace {

using internal::DrawsFrom;
using internal::InitializerState;
using internal::PhiloxCounter;
using nlohmann::json;
using InitializerPtr = std::shared_ptr<const InitializerState>;
using FillFunction = std::function<void(Tensor& weight, DrawsFrom from)>;

// The standard deviation that a unit normal keeps when it is cut off at +-2.
constexpr double kTruncatedStddev = 0.87962566103423978;

struct Fans {
  double in = 1, out = 1;
};

// Of kernels [..., in, out]: the leading axes are the receptive field.
Fans FansOf(const Shape& shape) {
  if (shape.rank() == 0) return {};
  if (shape.rank() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double field = 1;
  for (size_t axis = 0; axis + 2 < shape.rank(); ++axis) field *= static_cast<double>(shape[axis]);
  return {field * static_cast<double>(shape[shape.rank() - 2]), field * static_cast<double>(shape[shape.rank() - 1])};
}

// Draws for one tensor.
class Draws {
 public:
  explicit Draws(DrawsFrom from) : from_(from) {}

  void Uniform(Tensor& value, double middle, double limit) const {
    float* out = value.data<float>();
    for (int64_t i = 0; i < value.size(); ++i)
      out[i] = static_cast<float>(middle + limit * (2.0 * internal::UniformFromBits(Block(i, 0)[0]) - 1.0));
  }

  void Normal(Tensor& value, double mean, double stddev, double cut) const {
    float* out = value.data<float>();
    for (int64_t i = 0; i < value.size(); ++i) out[i] = static_cast<float>(mean + stddev * Normal(i, cut));
  }

  // A unit normal (Box and Muller) drawn again until it is within +-cut.
  double Normal(int64_t element, double cut) const {
    for (uint32_t attempt = 0;; ++attempt) {
      const PhiloxCounter bits = Block(element, attempt);
      const double radius = std::sqrt(-2.0 * std::log((bits[0] + 0.5) * 0x1p-32));
      const double angle = 2 * std::numbers::pi * bits[1] * 0x1p-32;
      const double candidates[] = {radius * std::cos(angle), radius * std::sin(angle)};
      for (const double candidate : candidates)
        if (std::abs(candidate) <= cut) return candidate;
    }
  }

 private:
  PhiloxCounter Block(int64_t element, uint32_t attempt) const {
    const auto index = static_cast<uint64_t>(element);
    return internal::Philox(
        from_.seed, {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                     static_cast<uint32_t>(from_.stream), static_cast<uint32_t>(from_.stream >> 32) << 8 | attempt});
  }

  DrawsFrom from_;
};

constexpr double kUncut = HUGE_VAL;

// Orthonormal columns of a matrix [rows, columns] with rows >= columns, column behind column: those that the QR
// decomposition with a positive diagonal finds, by Gram and Schmidt, twice over so that rounding leaves them
// orthogonal.
std::vector<double> OrthonormalColumns(int64_t rows, int64_t columns, const Draws& draws) {
  std::vector<double> q(static_cast<size_t>(rows * columns));
  const auto column = [&](int64_t k) { return q.data() + k * rows; };
  const auto product = [&](const double* a, const double* b) {
    double sum = 0;
    for (int64_t i = 0; i < rows; ++i) sum += a[i] * b[i];
    return sum;
  };
  for (int64_t k = 0; k < columns; ++k) {
    double* mine = column(k);
    for (int64_t i = 0; i < rows; ++i) mine[i] = draws.Normal(i * columns + k, kUncut);
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t other = 0; other < k; ++other) {
        const double share = product(column(other), mine);
        for (int64_t i = 0; i < rows; ++i) mine[i] -= share * column(other)[i];
      }
    const double length = std::sqrt(product(mine, mine));
    for (int64_t i = 0; i < rows; ++i) mine[i] /= length;
  }
  return q;
}

void FillOrthogonal(Tensor& weight, double gain, DrawsFrom from) {
  const Shape& shape = weight.shape();
  if (shape.rank() < 2)
    throw MakeError(ErrorCode::kInvalidArgument, "Orthogonal: found a weight of shape {}, wanted two axes or more",
                    shape.ToString());
  const int64_t columns = shape[shape.rank() - 1], rows = weight.size() / std::max<int64_t>(columns, 1);
  const int64_t longer = std::max(rows, columns), shorter = std::min(rows, columns);
  const std::vector<double> q = OrthonormalColumns(longer, shorter, Draws(from));
  float* out = weight.data<float>();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      *out++ = static_cast<float>(gain * (rows < columns ? q[row * longer + column] : q[column * longer + row]));
}

void FillIdentity(Tensor& weight, double gain) {
  const Shape& shape = weight.shape();
  if (shape.rank() != 2)
    throw MakeError(ErrorCode::kInvalidArgument, "Identity: found a weight of shape {}, wanted a matrix",
                    shape.ToString());
  std::fill_n(weight.data<float>(), weight.size(), 0.0f);
  for (int64_t i = 0; i < std::min(shape[0], shape[1]); ++i)
    weight.data<float>()[i * shape[1] + i] = static_cast<float>(gain);
}

InitializerPtr MakeInitializer(const char* class_name, json config, FillFunction fill) {
  return std::make_shared<const InitializerState>(InitializerState{class_name, std::move(config), std::move(fill)});
}

// A seed of its own takes the place of the model's.
InitializerPtr MakeRandom(const char* class_name, json config, int64_t seed, FillFunction fill) {
  config["seed"] = seed < 0 ? json() : json(seed);
  if (seed < 0) return MakeInitializer(class_name, std::move(config), std::move(fill));
  const DrawsFrom own{static_cast<uint64_t>(seed), 0};
  return MakeInitializer(class_name, std::move(config),
                         [own, fill = std::move(fill)](Tensor& w, DrawsFrom) { fill(w, own); });
}

InitializerPtr MakeConstant(const char* class_name, json config, double value) {
  return MakeInitializer(class_name, std::move(config), [value](Tensor& weight, DrawsFrom) {
    std::fill_n(weight.data<float>(), weight.size(), static_cast<float>(value));
  });
}

InitializerPtr MakeNormal(const char* class_name, const RandomNormalOptions& o, double cut) {
  if (!(o.stddev >= 0) || !std::isfinite(o.stddev) || !std::isfinite(o.mean))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "{}: found mean {} and stddev {}, wanted finite numbers, stddev 0 or "
                    "more",
                    class_name, o.mean, o.stddev);
  return MakeRandom(class_name, {{"mean", o.mean}, {"stddev", o.stddev}}, o.seed,
                    [o, cut](Tensor& w, DrawsFrom from) { Draws(from).Normal(w, o.mean, o.stddev, cut); });
}

InitializerPtr MakeUniform(const RandomUniformOptions& o) {
  if (!(o.minval <= o.maxval) || !std::isfinite(o.maxval - o.minval))
    throw MakeError(ErrorCode::kInvalidArgument,
                    "RandomUniform: found minval {} and maxval {}, wanted minval <= maxval", o.minval, o.maxval);
  return MakeRandom(
      "RandomUniform", {{"minval", o.minval}, {"maxval", o.maxval}}, o.seed,
      [o](Tensor& w, DrawsFrom from) { Draws(from).Uniform(w, (o.maxval + o.minval) / 2, (o.maxval - o.minval) / 2); });
}

double FanOf(const Fans& fans, const std::string& mode) {
  return mode == "fan_in" ? fans.in : mode == "fan_out" ? fans.out : (fans.in + fans.out) / 2;
}

FillFunction FillScaled(double scale, const std::string& mode, const std::string& distribution) {
  return [scale, mode, distribution](Tensor& weight, DrawsFrom from) {
    const double variance = scale / std::max(1.0, FanOf(FansOf(weight.shape()), mode));
    const Draws draws(from);
    if (distribution == "uniform") return draws.Uniform(weight, 0, std::sqrt(3 * variance));
    if (distribution == "untruncated_normal") return draws.Normal(weight, 0, std::sqrt(variance), kUncut);
    draws.Normal(weight, 0, std::sqrt(variance) / kTruncatedStddev, 2);
  };
}

void RequireOneOf(const char* setting, const std::string& found, std::initializer_list<const char*> known) {
  std::string names;
  for (const char* name : known) {
    if (found == name) return;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  throw MakeError(ErrorCode::kInvalidArgument, "VarianceScaling: {}: found \"{}\", wanted one of {}", setting, found,
                  names);
}

InitializerPtr MakeScaling(VarianceScalingOptions o) {
  if (!(o.scale > 0) || !std::isfinite(o.scale))
    throw MakeError(ErrorCode::kInvalidArgument, "VarianceScaling: scale: found {}, wanted above 0", o.scale);
  if (o.distribution == "normal") o.distribution = "truncated_normal";
  RequireOneOf("mode", o.mode, {"fan_in", "fan_out", "fan_avg"});
  RequireOneOf("distribution", o.distribution, {"uniform", "truncated_normal", "untruncated_normal"});
  return MakeRandom("VarianceScaling", {{"scale", o.scale}, {"mode", o.mode}, {"distribution", o.distribution}}, o.seed,
                    FillScaled(o.scale, o.mode, o.distribution));
}

// The scalings that have a name of their own.
InitializerPtr MakeNamed(const char* class_name, const SeedOptions& o, double scale, const char* mode,
                         const char* distribution) {
  return MakeRandom(class_name, json::object(), o.seed, FillScaled(scale, mode, distribution));
}

InitializerPtr MakeOrthogonal(const OrthogonalOptions& o) {
  return MakeRandom("Orthogonal", {{"gain", o.gain}}, o.seed,
                    [gain = o.gain](Tensor& weight, DrawsFrom from) { FillOrthogonal(weight, gain, from); });
}

InitializerPtr OwnInitializer(std::function<void(Tensor&)> fill) {
  if (!fill) throw MakeError(ErrorCode::kInvalidArgument, "Initializer: found an empty function");
  return MakeInitializer("", nullptr, [fill = std::move(fill)](Tensor& weight, DrawsFrom) {
    const Shape wanted = weight.shape();
    fill(weight);
    if (!weight.defined() || weight.dtype() != DType::kFloat32 || weight.shape() != wanted)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "Initializer: the function left {}, wanted a float32 tensor of shape {}",
                      weight.defined() ? "shape " + weight.shape().ToString() : "no tensor", wanted.ToString());
  });
}

}  // namespace

Initializer::Initializer(std::function<void(Tensor& weight)> fill) : state_(OwnInitializer(std::move(fill))) {}
Zeros::Zeros() : Initializer(MakeConstant("Zeros", json::object(), 0)) {}
Ones::Ones() : Initializer(MakeConstant("Ones", json::object(), 1)) {}
Constant::Constant(double value) : Initializer(MakeConstant("Constant", {{"value", value}}, value)) {}
RandomNormal::RandomNormal(RandomNormalOptions o) : Initializer(MakeNormal("RandomNormal", o, kUncut)) {}
TruncatedNormal::TruncatedNormal(RandomNormalOptions o) : Initializer(MakeNormal("TruncatedNormal", o, 2)) {}
RandomUniform::RandomUniform(RandomUniformOptions o) : Initializer(MakeUniform(o)) {}
VarianceScaling::VarianceScaling(VarianceScalingOptions o) : Initializer(MakeScaling(std::move(o))) {}
GlorotUniform::GlorotUniform(SeedOptions o) : Initializer(MakeNamed("GlorotUniform", o, 1, "fan_avg", "uniform")) {}
GlorotNormal::GlorotNormal(SeedOptions o)
    : Initializer(MakeNamed("GlorotNormal", o, 1, "fan_avg", "truncated_normal")) {}
HeUniform::HeUniform(SeedOptions o) : Initializer(MakeNamed("HeUniform", o, 2, "fan_in", "uniform")) {}
HeNormal::HeNormal(SeedOptions o) : Initializer(MakeNamed("HeNormal", o, 2, "fan_in", "truncated_normal")) {}
LecunUniform::LecunUniform(SeedOptions o) : Initializer(MakeNamed("LecunUniform", o, 1, "fan_in", "uniform")) {}
LecunNormal::LecunNormal(SeedOptions o) : Initializer(MakeNamed("LecunNormal", o, 1, "fan_in", "truncated_normal")) {}
Orthogonal::Orthogonal(OrthogonalOptions o) : Initializer(MakeOrthogonal(o)) {}
IdentityInitializer::IdentityInitializer(double gain)
    : Initializer(MakeInitializer("Identity", {{"gain", gain}},
                                  [gain](Tensor& weight, DrawsFrom) { FillIdentity(weight, gain); })) {}

}  // namespace headrace::keras
