// Initial weights. Formulas are Keras's (initializers/random_initializers.py): a variance from the fans, drawn from a
// uniform distribution or from a normal one cut off at two standard deviations. Keras's own random streams cannot be
// had here; ours depend on seed, stream and element alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/result.h"
#include "keras/layer_state.h"
#include "keras/philox.h"

namespace headrace::keras::internal {
namespace {

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
  Draws(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  void Uniform(Tensor& value, double limit) const {
    float* out = value.data<float>();
    for (int64_t i = 0; i < value.size(); ++i)
      out[i] = static_cast<float>(limit * (2.0 * UniformFromBits(Block(i, 0)[0]) - 1.0));
  }

  void Normal(Tensor& value, double stddev, double cut) const {
    float* out = value.data<float>();
    for (int64_t i = 0; i < value.size(); ++i) out[i] = static_cast<float>(stddev * Normal(i, cut));
  }

 private:
  PhiloxCounter Block(int64_t element, uint32_t attempt) const {
    const auto index = static_cast<uint64_t>(element);
    return Philox(seed_, {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                          static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32) << 8 | attempt});
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

  uint64_t seed_, stream_;
};

enum class Distribution { kZeros, kOnes, kUniform, kNormal, kScaledUniform, kScaledNormal };
struct Known {
  const char* name;
  Distribution distribution;
  double (*variance)(const Fans&);  // of the scaled distributions
};

double Glorot(const Fans& fans) { return 2 / (fans.in + fans.out); }
double He(const Fans& fans) { return 2 / fans.in; }
double Lecun(const Fans& fans) { return 1 / fans.in; }

constexpr std::array<Known, 10> kKnown = {{{"glorot_uniform", Distribution::kScaledUniform, Glorot},
                                           {"glorot_normal", Distribution::kScaledNormal, Glorot},
                                           {"he_uniform", Distribution::kScaledUniform, He},
                                           {"he_normal", Distribution::kScaledNormal, He},
                                           {"lecun_uniform", Distribution::kScaledUniform, Lecun},
                                           {"lecun_normal", Distribution::kScaledNormal, Lecun},
                                           {"zeros", Distribution::kZeros, nullptr},
                                           {"ones", Distribution::kOnes, nullptr},
                                           {"random_uniform", Distribution::kUniform, nullptr},
                                           {"random_normal", Distribution::kNormal, nullptr}}};

const Known* Find(const std::string& name) {
  for (const Known& known : kKnown)
    if (name == known.name) return &known;
  return nullptr;
}

}  // namespace

void CheckInitializer(const std::string& layer, const std::string& initializer) {
  if (Find(initializer) != nullptr) return;
  std::string names;
  for (const Known& known : kKnown) names += (names.empty() ? "" : ", ") + std::string(known.name);
  throw MakeError(ErrorCode::kInvalidArgument, "{}: initializer: found \"{}\", wanted one of {}", layer, initializer,
                  names);
}

void Initialize(const std::string& initializer, uint64_t seed, uint64_t stream, Tensor& value) {
  CheckInitializer("weights", initializer);
  const Known& known = *Find(initializer);
  const Draws draws(seed, stream);
  float* data = value.data<float>();
  switch (known.distribution) {
    case Distribution::kZeros:
      std::fill_n(data, value.size(), 0.0f);
      break;
    case Distribution::kOnes:
      std::fill_n(data, value.size(), 1.0f);
      break;
    case Distribution::kUniform:
      draws.Uniform(value, 0.05);
      break;
    case Distribution::kNormal:
      draws.Normal(value, 0.05, HUGE_VAL);
      break;
    case Distribution::kScaledUniform:
      draws.Uniform(value, std::sqrt(3 * known.variance(FansOf(value.shape()))));
      break;
    case Distribution::kScaledNormal:
      draws.Normal(value, std::sqrt(known.variance(FansOf(value.shape()))) / kTruncatedStddev, 2);
      break;
  }
}

}  // namespace headrace::keras::internal
