// The rules of an optimizer's step that need norms or means of a whole variable before they change it.
#include "tensor/isa/math.h"
#include "tensor/isa/update.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// Lamb's direction from the moments.
template <typename Lanes>
F32 Direction(const UpdateArgs& a, int64_t i, Lanes lanes) {
  const F32 m = Load(a.slots[0] + i, lanes), v = Load(a.slots[1] + i, lanes);
  return Where(ActiveLanes(lanes), m * a.m_factor / (Sqrt(v * a.v_factor) + a.epsilon));
}

// The mean of squared gradients in each row, mixed into r; rows of all matrices.
void MoveRowMeans(const UpdateArgs& a) {
  ParallelRanges(a.count / a.columns, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = row * a.columns;
      const Sums sums = SumsOfRange(first, first + a.columns, [&](int64_t i, auto lanes) {
        const F32 g = Gradient(a, i, lanes);
        return Terms{g * g, F32{}};
      });
      const float mean = static_cast<float>(sums.first / static_cast<double>(a.columns)) + a.epsilon;
      a.slots[1][row] = a.slots[1][row] * a.rho.kept + mean * a.rho.fresh;
    }
  });
}

// The same in each column, mixed into c.
void MoveColumnMeans(const UpdateArgs& a) {
  const int64_t matrix = a.rows * a.columns, across = (a.columns + kLanes - 1) / kLanes;
  ParallelRanges(a.count / matrix * across, [&](int64_t begin, int64_t end, int) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t of = block / across, column = block % across * kLanes;
      const int64_t left = a.columns - column;
      ForEachVector(left < kLanes ? left : kLanes, [&](int64_t, auto lanes) {
        F32 sum{};
        for (int64_t row = 0; row < a.rows; ++row) {
          const F32 g = Gradient(a, of * matrix + row * a.columns + column, lanes);
          sum += g * g;
        }
        const F32 mean = sum / static_cast<float>(a.rows) + a.epsilon;
        float* c = a.slots[2] + of * a.columns + column;
        Store(c, Mix(Load(c, lanes), mean, a.rho), lanes);
      });
    }
  });
}

template <typename Lanes>
F32 AdafactorStep(const UpdateArgs& a, int64_t i, Lanes lanes) {
  return Where(ActiveLanes(lanes), Gradient(a, i, lanes) / Sqrt(Load(a.slots[0] + i, lanes)));
}

// v of one matrix from its r and c; returns the sum of squared steps.
double FactorMatrix(const UpdateArgs& a, int64_t of, double* scratch) {
  const float* r = a.slots[1] + of * a.rows;
  const float* c = a.slots[2] + of * a.columns;
  double mean = 0;
  for (int64_t row = 0; row < a.rows; ++row) mean += static_cast<double>(r[row]);
  mean /= static_cast<double>(a.rows);
  return SumsOverThreads(a.rows, scratch,
                         [&](int64_t begin, int64_t end) {
                           Sums sums;
                           for (int64_t row = begin; row < end; ++row) {
                             const auto share = static_cast<float>(static_cast<double>(r[row]) / mean);
                             const int64_t first = (of * a.rows + row) * a.columns;
                             const Sums of_row = SumsOfRange(first, first + a.columns, [&](int64_t i, auto lanes) {
                               Store(a.slots[0] + i, Load(c + (i - first), lanes) * share, lanes);
                               const F32 step = AdafactorStep(a, i, lanes);
                               return Terms{step * step, F32{}};
                             });
                             sums.first += of_row.first;
                           }
                           return sums;
                         })
      .first;
}

// Moves v, and returns the sum of squared steps.
double MoveVariance(const UpdateArgs& a, double* scratch) {
  if (a.columns == 0)
    return SumsOverVectors(a.count, scratch,
                           [&](int64_t i, auto lanes) {
                             const F32 g = Gradient(a, i, lanes);
                             Store(a.slots[0] + i, Mix(Load(a.slots[0] + i, lanes), g * g + a.epsilon, a.rho), lanes);
                             const F32 step = AdafactorStep(a, i, lanes);
                             return Terms{step * step, F32{}};
                           })
        .first;
  MoveRowMeans(a);
  MoveColumnMeans(a);
  double squares = 0;
  for (int64_t of = 0; of < a.count / (a.rows * a.columns); ++of) squares += FactorMatrix(a, of, scratch);
  return squares;
}

float RootOfMean(double sum, int64_t count) {
  return static_cast<float>(__builtin_sqrt(sum / static_cast<double>(count)));
}

}  // namespace

void Lamb(const UpdateArgs& args, double* scratch) {
  const UpdateArgs a = args;
  const Sums squares = SumsOverVectors(a.count, scratch, [=](int64_t i, auto lanes) {
    const F32 g = Gradient(a, i, lanes), w = Decayed(a, i, lanes);
    Store(a.slots[0] + i, Mix(Load(a.slots[0] + i, lanes), g, a.beta_1), lanes);
    Store(a.slots[1] + i, Mix(Load(a.slots[1] + i, lanes), g * g, a.beta_2), lanes);
    const F32 u = Direction(a, i, lanes);
    return Terms{w * w, u * u};
  });
  const bool both = squares.first > 0 && squares.second > 0;
  const float ratio = both ? static_cast<float>(__builtin_sqrt(squares.first / squares.second)) : 1.0f;
  ForEachVectorParallel(a.count, [=](int64_t i, auto lanes) {
    Finish(a, i, Decayed(a, i, lanes) - Direction(a, i, lanes) * (a.lr * ratio), lanes);
  });
}

void Adafactor(const UpdateArgs& args, double* scratch) {
  const UpdateArgs a = args;
  const double weights = SumsOverVectors(a.count, scratch, [=](int64_t i, auto lanes) {
                           const F32 w = Decayed(a, i, lanes);
                           return Terms{w * w, F32{}};
                         }).first;
  const float size = RootOfMean(weights, a.count), step = RootOfMean(MoveVariance(a, scratch), a.count);
  const float over = step / a.clip_threshold;
  const float alpha = a.lr * (size > a.epsilon_2 ? size : a.epsilon_2) / (over > 1 ? over : 1.0f);
  ForEachVectorParallel(a.count, [=](int64_t i, auto lanes) {
    Finish(a, i, Decayed(a, i, lanes) - AdafactorStep(a, i, lanes) * alpha, lanes);
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
