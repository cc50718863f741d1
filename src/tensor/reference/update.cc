// An optimizer's step as Keras 3 writes it, weight by weight, in double precision.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/reference/reference_backend.h"

namespace headrace::tensor::reference {
namespace {

// A weight's slots, read and written as doubles.
struct SlotsOf {
  const UpdateArgs& a;
  int64_t i;
  bool Has(int slot) const { return a.slots[slot] != nullptr; }
  double Get(int slot) const { return a.slots[slot][i]; }
  double Set(int slot, double value) const {
    a.slots[slot][i] = static_cast<float>(value);
    return value;
  }
  double Mix(int slot, double fresh, MeanShare share) const {
    return Set(slot, share.kept * Get(slot) + share.fresh * fresh);
  }
};

double Sgd(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double step = a.lr * g;
  if (!s.Has(0)) return w - step;
  const double v = s.Set(0, a.momentum * s.Get(0) - step);
  return w + (a.nesterov ? a.momentum * v - step : v);
}

double Rmsprop(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  double spread = s.Mix(0, g * g, a.rho);
  if (s.Has(2)) {
    const double mean = s.Mix(2, g, a.rho);
    spread -= mean * mean;
  }
  double step = a.lr * g / std::sqrt(spread + a.epsilon);
  if (s.Has(1)) step = s.Set(1, a.momentum * s.Get(1) + step);
  return w - step;
}

double Adam(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double m = s.Mix(0, g, a.beta_1);
  double v = s.Mix(1, g * g, a.beta_2);
  if (s.Has(2)) v = s.Set(2, std::max(s.Get(2), v));
  return w - a.lr * m / (std::sqrt(v) + a.epsilon);
}

double Adamax(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double m = s.Mix(0, g, a.beta_1);
  const double u = s.Set(1, std::max(a.beta_2.kept * s.Get(1), std::abs(g)));
  return w - a.lr * m / (u + a.epsilon);
}

double Nadam(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double m = s.Mix(0, g, a.beta_1), v = s.Mix(1, g * g, a.beta_2);
  return w - a.lr * (a.m_factor * m + a.g_factor * g) / (std::sqrt(v * a.v_factor) + a.epsilon);
}

double Adagrad(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  return w - a.lr * g / std::sqrt(s.Set(0, s.Get(0) + g * g) + a.epsilon);
}

double Adadelta(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double square = s.Mix(0, g * g, a.rho);
  const double step = g * std::sqrt(s.Get(1) + a.epsilon) / std::sqrt(square + a.epsilon);
  s.Mix(1, step * step, a.rho);
  return w - a.lr * step;
}

double Lion(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double direction = a.beta_1.kept * s.Get(0) + a.beta_1.fresh * g;
  s.Mix(0, g, a.beta_2);
  return w - a.lr * (direction > 0 ? 1 : direction < 0 ? -1 : direction);
}

double ScheduleFree(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double v = s.Mix(1, g * g, a.beta_2), beta = a.beta_1.kept;
  const double z = s.Set(0, s.Get(0) - a.lr * g / (std::sqrt(v * a.v_factor) + a.epsilon));
  const double x = (w - (1 - beta) * z) / beta;
  return (1 - beta) * z + beta * (x + a.g_factor * (z - x));
}

double Ftrl(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  const double before = s.Get(0), sum = s.Set(0, before + g * g), power = a.power;
  const double moved = (std::pow(sum, power) - std::pow(before, power)) / a.lr * w;
  const double z = s.Set(1, s.Get(1) + g + 2 * a.shrinkage * w - moved), l1 = a.l1;
  return (std::clamp(z, -l1, l1) - z) / (std::pow(sum, power) / a.lr + 2 * a.l2);
}

using Doubles = std::vector<double>;

double Squares(const Doubles& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

void Lamb(const UpdateArgs& a, Doubles& w, const Doubles& g) {
  Doubles u(w.size());
  for (int64_t i = 0; i < a.count; ++i) {
    const SlotsOf s{a, i};
    const double m = s.Mix(0, g[i], a.beta_1), v = s.Mix(1, g[i] * g[i], a.beta_2);
    u[i] = a.m_factor * m / (std::sqrt(v * a.v_factor) + a.epsilon);
  }
  const double weights = std::sqrt(Squares(w)), steps = std::sqrt(Squares(u));
  const double ratio = weights > 0 && steps > 0 ? weights / steps : 1;
  for (size_t i = 0; i < w.size(); ++i) w[i] -= ratio * a.lr * u[i];
}

// The means of g^2 + epsilon over the rows and over the columns of each matrix.
void MoveMeans(const UpdateArgs& a, const Doubles& g) {
  const int64_t matrices = a.count / (a.rows * a.columns);
  Doubles of_rows(matrices * a.rows), of_columns(matrices * a.columns);
  for (int64_t i = 0; i < a.count; ++i) {
    const double square = g[i] * g[i] + a.epsilon;
    of_rows[i / a.columns] += square / a.columns;
    of_columns[i / (a.rows * a.columns) * a.columns + i % a.columns] += square / a.rows;
  }
  for (size_t i = 0; i < of_rows.size(); ++i) SlotsOf{a, static_cast<int64_t>(i)}.Mix(1, of_rows[i], a.rho);
  for (size_t i = 0; i < of_columns.size(); ++i) SlotsOf{a, static_cast<int64_t>(i)}.Mix(2, of_columns[i], a.rho);
}

// The mean of each matrix's means over rows.
Doubles MeansOfMatrices(const UpdateArgs& a) {
  Doubles means(a.count / (a.rows * a.columns));
  for (int64_t row = 0; row < a.count / a.columns; ++row)
    means[row / a.rows] += a.slots[1][row] / static_cast<double>(a.rows);
  return means;
}

void Adafactor(const UpdateArgs& a, Doubles& w, const Doubles& g) {
  if (a.columns != 0) MoveMeans(a, g);
  const Doubles means = a.columns != 0 ? MeansOfMatrices(a) : Doubles();
  Doubles u(w.size());
  for (int64_t i = 0; i < a.count; ++i) {
    const SlotsOf s{a, i};
    if (a.columns == 0) {
      s.Mix(0, g[i] * g[i] + a.epsilon, a.rho);
    } else {
      const int64_t of = i / (a.rows * a.columns);
      s.Set(0, a.slots[1][i / a.columns] / means[of] * a.slots[2][of * a.columns + i % a.columns]);
    }
    u[i] = g[i] / std::sqrt(s.Get(0));
  }
  const auto count = static_cast<double>(a.count);
  const double size = std::max<double>(a.epsilon_2, std::sqrt(Squares(w) / count));
  const double over = std::max(1.0, std::sqrt(Squares(u) / count) / a.clip_threshold);
  for (size_t i = 0; i < w.size(); ++i) w[i] -= a.lr * size * u[i] / over;
}

double Stepped(const UpdateArgs& a, double w, double g, const SlotsOf& s) {
  switch (a.rule) {
    case UpdateRule::kSgd:
      return Sgd(a, w, g, s);
    case UpdateRule::kRmsprop:
      return Rmsprop(a, w, g, s);
    case UpdateRule::kAdam:
      return Adam(a, w, g, s);
    case UpdateRule::kAdamax:
      return Adamax(a, w, g, s);
    case UpdateRule::kNadam:
      return Nadam(a, w, g, s);
    case UpdateRule::kAdagrad:
      return Adagrad(a, w, g, s);
    case UpdateRule::kAdadelta:
      return Adadelta(a, w, g, s);
    case UpdateRule::kLion:
      return Lion(a, w, g, s);
    case UpdateRule::kFtrl:
      return Ftrl(a, w, g, s);
    case UpdateRule::kScheduleFree:
      return ScheduleFree(a, w, g, s);
    case UpdateRule::kLamb:
    case UpdateRule::kAdafactor:
    case UpdateRule::kKeep:
      break;
  }
  return w;
}

}  // namespace

void ReferenceBackend::Update(const UpdateArgs& a) const {
  std::vector<double> g(static_cast<size_t>(a.count)), w(g.size());
  for (int64_t i = 0; i < a.count; ++i) {
    g[i] = static_cast<double>(a.g[i]) * a.scale;
    if (a.clip != 0) g[i] = std::clamp(g[i], -static_cast<double>(a.clip), static_cast<double>(a.clip));
    w[i] = a.w[i] * (1.0 - a.decay);
  }
  if (a.rule == UpdateRule::kLamb) {
    Lamb(a, w, g);
  } else if (a.rule == UpdateRule::kAdafactor) {
    Adafactor(a, w, g);
  } else {
    for (int64_t i = 0; i < a.count; ++i) w[i] = Stepped(a, w[i], g[i], {a, i});
  }
  for (int64_t i = 0; i < a.count; ++i) {
    a.w[i] = static_cast<float>(w[i]);
    if (a.average != nullptr)
      a.average[i] = static_cast<float>(a.average_momentum * a.average[i] + (1.0 - a.average_momentum) * w[i]);
  }
}

double ReferenceBackend::SumOfSquares(int64_t count, const float* x) const {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

}  // namespace headrace::tensor::reference
