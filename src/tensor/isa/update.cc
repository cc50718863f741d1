// An optimizer's step: one pass over weights, gradients and state, whatever is clipped, decayed or averaged with it.
#include "tensor/isa/update.h"

#include "tensor/isa/elementwise.h"
#include "tensor/isa/kernels.h"
#include "tensor/isa/math.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// A slot's value as the rule changes it.
struct Slots {
  float* const* slots;
  int64_t i;
  template <typename Lanes>
  F32 Get(int slot, Lanes lanes) const {
    return Load(slots[slot] + i, lanes);
  }
  template <typename Lanes>
  F32 Set(int slot, F32 value, Lanes lanes) const {
    Store(slots[slot] + i, value, lanes);
    return value;
  }
  bool Has(int slot) const { return slots[slot] != nullptr; }
};

// x^power of x >= 0.
F32 Power(F32 x, float power) {
  if (power == 0.5f) return Sqrt(x);
  const F32 value = Exp(Log(x) * power);
  return x > F32{} ? value : Broadcast(power == 0 ? 1.0f : 0.0f);
}

F32 Sign(F32 x) { return x > F32{} ? Broadcast(1) : (x < F32{} ? Broadcast(-1) : x); }

// Each rule returns the weight behind the step.
template <UpdateRule kRule, typename Lanes>
F32 Stepped(const UpdateArgs& a, F32 w, F32 g, const Slots& s, Lanes lanes) {
  if constexpr (kRule == UpdateRule::kKeep) {
    return w;
  } else if constexpr (kRule == UpdateRule::kSgd) {
    const F32 step = g * a.lr;
    if (!s.Has(0)) return w - step;
    const F32 velocity = s.Set(0, s.Get(0, lanes) * a.momentum - step, lanes);
    return w + (a.nesterov ? velocity * a.momentum - step : velocity);
  } else if constexpr (kRule == UpdateRule::kRmsprop) {
    F32 spread = s.Set(0, Mix(s.Get(0, lanes), g * g, a.rho), lanes);
    if (s.Has(2)) {
      const F32 mean = s.Set(2, Mix(s.Get(2, lanes), g, a.rho), lanes);
      spread -= mean * mean;
    }
    F32 step = g * a.lr / Sqrt(spread + a.epsilon);
    if (s.Has(1)) step = s.Set(1, step + s.Get(1, lanes) * a.momentum, lanes);
    return w - step;
  } else if constexpr (kRule == UpdateRule::kAdam) {
    const F32 m = s.Set(0, Mix(s.Get(0, lanes), g, a.beta_1), lanes);
    F32 v = s.Set(1, Mix(s.Get(1, lanes), g * g, a.beta_2), lanes);
    if (s.Has(2)) v = s.Set(2, Max(s.Get(2, lanes), v), lanes);
    return w - m * a.lr / (Sqrt(v) + a.epsilon);
  } else if constexpr (kRule == UpdateRule::kAdamax) {
    const F32 m = s.Set(0, Mix(s.Get(0, lanes), g, a.beta_1), lanes);
    const F32 u = s.Set(1, Max(s.Get(1, lanes) * a.beta_2.kept, Abs(g)), lanes);
    return w - m * a.lr / (u + a.epsilon);
  } else if constexpr (kRule == UpdateRule::kNadam) {
    const F32 m = s.Set(0, Mix(s.Get(0, lanes), g, a.beta_1), lanes);
    const F32 v = s.Set(1, Mix(s.Get(1, lanes), g * g, a.beta_2), lanes);
    return w - (m * a.m_factor + g * a.g_factor) * a.lr / (Sqrt(v * a.v_factor) + a.epsilon);
  } else if constexpr (kRule == UpdateRule::kAdagrad) {
    const F32 sum = s.Set(0, s.Get(0, lanes) + g * g, lanes);
    return w - g * a.lr / Sqrt(sum + a.epsilon);
  } else if constexpr (kRule == UpdateRule::kAdadelta) {
    const F32 square = s.Set(0, Mix(s.Get(0, lanes), g * g, a.rho), lanes);
    const F32 before = s.Get(1, lanes);
    const F32 step = g * Sqrt(before + a.epsilon) / Sqrt(square + a.epsilon);
    s.Set(1, Mix(before, step * step, a.rho), lanes);
    return w - step * a.lr;
  } else if constexpr (kRule == UpdateRule::kLion) {
    const F32 m = s.Get(0, lanes);
    s.Set(0, Mix(m, g, a.beta_2), lanes);
    return w - Sign(Mix(m, g, a.beta_1)) * a.lr;
  } else if constexpr (kRule == UpdateRule::kScheduleFree) {
    const F32 v = s.Set(1, Mix(s.Get(1, lanes), g * g, a.beta_2), lanes);
    const F32 z = s.Set(0, s.Get(0, lanes) - g * a.lr / (Sqrt(v * a.v_factor) + a.epsilon), lanes);
    const F32 x = (w - z * a.beta_1.fresh) / a.beta_1.kept;
    return z * a.beta_1.fresh + (x * (1.0f - a.g_factor) + z * a.g_factor) * a.beta_1.kept;
  } else {
    static_assert(kRule == UpdateRule::kFtrl);
    const F32 before = s.Get(0, lanes), sum = s.Set(0, before + g * g, lanes);
    const F32 strength = Power(sum, a.power);
    const F32 moved = (strength - Power(before, a.power)) / a.lr * w;
    const F32 z = s.Set(1, s.Get(1, lanes) + (g + w * (2.0f * a.shrinkage) - moved), lanes);
    return (Max(Min(z, Broadcast(a.l1)), Broadcast(-a.l1)) - z) / (strength / a.lr + 2.0f * a.l2);
  }
}

template <UpdateRule kRule>
void Run(const UpdateArgs& args) {
  const UpdateArgs a = args;
  ForEachVectorParallel(a.count, [=](int64_t i, auto lanes) {
    const F32 g = Gradient(a, i, lanes), w = Decayed(a, i, lanes);
    Finish(a, i, Stepped<kRule>(a, w, g, Slots{a.slots, i}, lanes), lanes);
  });
}

}  // namespace

void Update(const UpdateArgs& args, double* scratch) {
  switch (args.rule) {
    case UpdateRule::kSgd:
      return Run<UpdateRule::kSgd>(args);
    case UpdateRule::kRmsprop:
      return Run<UpdateRule::kRmsprop>(args);
    case UpdateRule::kAdam:
      return Run<UpdateRule::kAdam>(args);
    case UpdateRule::kAdamax:
      return Run<UpdateRule::kAdamax>(args);
    case UpdateRule::kNadam:
      return Run<UpdateRule::kNadam>(args);
    case UpdateRule::kAdagrad:
      return Run<UpdateRule::kAdagrad>(args);
    case UpdateRule::kAdadelta:
      return Run<UpdateRule::kAdadelta>(args);
    case UpdateRule::kLion:
      return Run<UpdateRule::kLion>(args);
    case UpdateRule::kFtrl:
      return Run<UpdateRule::kFtrl>(args);
    case UpdateRule::kScheduleFree:
      return Run<UpdateRule::kScheduleFree>(args);
    case UpdateRule::kLamb:
      return Lamb(args, scratch);
    case UpdateRule::kAdafactor:
      return Adafactor(args, scratch);
    case UpdateRule::kKeep:
      return Run<UpdateRule::kKeep>(args);
  }
}

double SumOfSquares(int64_t count, const float* x, double* scratch) {
  return SumsOverVectors(count, scratch,
                         [=](int64_t i, auto lanes) {
                           const F32 value = Load(x + i, lanes);
                           return Terms{value * value, F32{}};
                         })
      .first;
}

}  // namespace headrace::tensor::HEADRACE_ISA
