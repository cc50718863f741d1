// Element-wise activations and softmax, forward and backward.
#include "tensor/isa/elementwise.h"
#include "tensor/isa/kernels.h"
#include "tensor/isa/row.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

// Each function gives y of x, and the derivative from x or from y as kFromInput says.
struct LinearFunction {
  static constexpr bool kFromInput = false;
  static F32 Value(F32 x) { return x; }
  static F32 Derivative(F32) { return Broadcast(1.0f); }
};
struct ReluFunction {
  static constexpr bool kFromInput = false;
  static F32 Value(F32 x) { return Relu(x); }
  static F32 Derivative(F32 y) { return y > F32{} ? Broadcast(1.0f) : F32{}; }
};
struct SigmoidFunction {
  static constexpr bool kFromInput = false;
  static F32 Value(F32 x) { return Sigmoid(x); }
  static F32 Derivative(F32 y) { return y * (1.0f - y); }
};
struct TanhFunction {
  static constexpr bool kFromInput = false;
  static F32 Value(F32 x) { return Tanh(x); }
  static F32 Derivative(F32 y) { return 1.0f - y * y; }
};
struct EluFunction {
  static constexpr bool kFromInput = false;
  static F32 Value(F32 x) { return x > F32{} ? x : Expm1OfNegative(x); }
  static F32 Derivative(F32 y) { return y > F32{} ? Broadcast(1.0f) : y + 1.0f; }
};
struct GeluFunction {
  static constexpr bool kFromInput = true;
  static F32 Value(F32 x) { return x * NormalCdf(x); }
  static F32 Derivative(F32 x) { return NormalCdf(x) + x * NormalPdf(x); }
};
struct SwishFunction {
  static constexpr bool kFromInput = true;
  static F32 Value(F32 x) { return x * Sigmoid(x); }
  static F32 Derivative(F32 x) {
    const F32 s = Sigmoid(x);
    return s * (1.0f + x * (1.0f - s));
  }
};

template <typename Body>
void WithFunction(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::kRelu:
      return body(ReluFunction{});
    case Activation::kSigmoid:
      return body(SigmoidFunction{});
    case Activation::kTanh:
      return body(TanhFunction{});
    case Activation::kElu:
      return body(EluFunction{});
    case Activation::kGelu:
      return body(GeluFunction{});
    case Activation::kSwish:
      return body(SwishFunction{});
    default:
      return body(LinearFunction{});
  }
}

template <typename T>
void Softmax(int64_t c, const T* x, T* y) {
  const float largest = LargestOfRow(x, c);
  const float scale = 1.0f / SumOfExponentials(x, c, largest);
  ForEachVector(c, [&](int64_t i, auto lanes) { Store(y + i, Exp(Load(x + i, lanes) - largest) * scale, lanes); });
}

// dx = y * (dy - sum(y * dy))
template <typename T>
void SoftmaxBackward(int64_t c, const T* y, const T* dy, T* dx) {
  const float dot = SumOverRow(c, [&](int64_t i, auto lanes) { return Load(y + i, lanes) * Load(dy + i, lanes); });
  ForEachVector(c,
                [&](int64_t i, auto lanes) { Store(dx + i, Load(y + i, lanes) * (Load(dy + i, lanes) - dot), lanes); });
}

// Calls body(first element of the row) for every row on all threads.
template <typename Body>
void ForEachRow(int64_t rows, int64_t c, const Body& body) {
  ParallelRanges(rows, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) body(row * c);
  });
}

template <typename T>
void ForwardAs(Activation activation, int64_t rows, int64_t c, const T* x, T* y) {
  if (activation == Activation::kSoftmax) {
    return ForEachRow(rows, c, [=](int64_t first) { Softmax(c, x + first, y + first); });
  }
  WithFunction(activation, [&](auto function) {
    ForEachVectorParallel(
        rows * c, [=](int64_t i, auto lanes) { Store(y + i, decltype(function)::Value(Load(x + i, lanes)), lanes); });
  });
}

template <typename T>
void BackwardAs(Activation activation, int64_t rows, int64_t c, const T* x, const T* y, const T* dy, T* dx) {
  if (activation == Activation::kSoftmax) {
    return ForEachRow(rows, c, [=](int64_t first) { SoftmaxBackward(c, y + first, dy + first, dx + first); });
  }
  if (activation == Activation::kLinear) {  // neither x nor y need be there
    return ForEachVectorParallel(rows * c, [=](int64_t i, auto lanes) { Store(dx + i, Load(dy + i, lanes), lanes); });
  }
  WithFunction(activation, [&](auto function) {
    const T* from = decltype(function)::kFromInput ? x : y;
    ForEachVectorParallel(rows * c, [=](int64_t i, auto lanes) {
      Store(dx + i, Load(dy + i, lanes) * decltype(function)::Derivative(Load(from + i, lanes)), lanes);
    });
  });
}

}  // namespace

void ActivationForward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, void* y) {
  WithType(dtype, [&](auto element) {
    using T = decltype(element);
    ForwardAs(activation, rows, c, static_cast<const T*>(x), static_cast<T*>(y));
  });
}

void ActivationBackward(Activation activation, int64_t rows, int64_t c, DType dtype, const void* x, const void* y,
                        const void* dy, void* dx) {
  WithType(dtype, [&](auto element) {
    using T = decltype(element);
    BackwardAs(activation, rows, c, static_cast<const T*>(x), static_cast<const T*>(y), static_cast<const T*>(dy),
               static_cast<T*>(dx));
  });
}

}  // namespace headrace::tensor::HEADRACE_ISA
