// The kernels of reduce_kernels.h for one instruction set. Floating point types are reduced in vectors of float32;
// float64 and integers in plain loops, which the compiler turns into vectors.
#include "horovod/isa/half.h"
#include "horovod/reduce_kernels.h"

namespace headrace::hvd::HEADRACE_ISA {
namespace {

struct Sum {
  template <typename V>
  static V Of(V a, V b) {
    return a + b;
  }
};
struct Product {
  template <typename V>
  static V Of(V a, V b) {
    return a * b;
  }
};
// Of a NaN and a number: b, as MPI's own minimum and maximum do.
struct Minimum {
  template <typename V>
  static V Of(V a, V b) {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <typename V>
  static V Of(V a, V b) {
    return a > b ? a : b;
  }
};

// kInputs 0: as many as the reduction has.
template <typename T, typename Op, int kInputs>
void ReduceFloats(const Reduction& r) {
  const int inputs = kInputs == 0 ? r.inputs : kInputs;
  const F32 scale = Broadcast(static_cast<float>(r.scale));
  const bool scaled = r.scale != 1;
  ForEachVector(r.count, [&](int64_t i, auto lanes) {
    F32 value = Load(static_cast<const T*>(r.in[0]) + i, lanes);
    for (int k = 1; k < inputs; ++k) value = Op::Of(value, Load(static_cast<const T*>(r.in[k]) + i, lanes));
    if (scaled) value = value * scale;
    for (int k = 0; k < r.outputs; ++k) Store(static_cast<T*>(r.out[k]) + i, value, lanes);
  });
}

template <typename T, typename Op>
void ReduceFloatsOf(const Reduction& r) {
  if (r.inputs == 2) return ReduceFloats<T, Op, 2>(r);
  if (r.inputs == 4) return ReduceFloats<T, Op, 4>(r);
  ReduceFloats<T, Op, 0>(r);
}

template <typename T>
T Scaled(T value, double scale) {
  return static_cast<T>(static_cast<double>(value) * scale);
}

// Unsigned arithmetic below the hood: sums and products of integers wrap around, as MPI's do.
template <typename T>
struct Wide {
  using Type = T;
};
template <>
struct Wide<int8_t> {
  using Type = uint8_t;
};
template <>
struct Wide<int16_t> {
  using Type = uint32_t;  // a product of two uint16_t would be one of signed integers
};
template <>
struct Wide<uint16_t> {
  using Type = uint32_t;
};
template <>
struct Wide<int32_t> {
  using Type = uint32_t;
};
template <>
struct Wide<int64_t> {
  using Type = uint64_t;
};

template <typename T, typename Op>
struct Applied {
  static T Of(T a, T b) { return Op::Of(a, b); }
};
template <typename T>
struct Applied<T, Sum> {
  static T Of(T a, T b) {
    using W = typename Wide<T>::Type;
    return static_cast<T>(static_cast<W>(a) + static_cast<W>(b));
  }
};
template <typename T>
struct Applied<T, Product> {
  static T Of(T a, T b) {
    using W = typename Wide<T>::Type;
    return static_cast<T>(static_cast<W>(a) * static_cast<W>(b));
  }
};

// Blocks that stay in the first level cache while the inputs pass.
constexpr int64_t kBlock = 1024;

template <typename T, typename Op>
void ReducePlain(const Reduction& r) {
  T block[kBlock];
  for (int64_t begin = 0; begin < r.count; begin += kBlock) {
    const int64_t size = r.count - begin < kBlock ? r.count - begin : kBlock;
    __builtin_memcpy(block, static_cast<const T*>(r.in[0]) + begin, static_cast<size_t>(size) * sizeof(T));
    for (int k = 1; k < r.inputs; ++k) {
      const T* in = static_cast<const T*>(r.in[k]) + begin;
      for (int64_t i = 0; i < size; ++i) block[i] = Applied<T, Op>::Of(block[i], in[i]);
    }
    if (r.scale != 1)
      for (int64_t i = 0; i < size; ++i) block[i] = Scaled(block[i], r.scale);
    for (int k = 0; k < r.outputs; ++k)
      __builtin_memcpy(static_cast<T*>(r.out[k]) + begin, block, static_cast<size_t>(size) * sizeof(T));
  }
}

struct Or {
  static uint8_t Of(uint8_t a, uint8_t b) { return (a | b) != 0; }
};
struct And {
  static uint8_t Of(uint8_t a, uint8_t b) { return (a != 0) & (b != 0); }
};

template <typename Op>
void ReduceOf(const Reduction& r) {
  switch (r.dtype) {
    case DataType::kUInt8:
      return ReducePlain<uint8_t, Op>(r);
    case DataType::kInt8:
      return ReducePlain<int8_t, Op>(r);
    case DataType::kUInt16:
      return ReducePlain<uint16_t, Op>(r);
    case DataType::kInt16:
      return ReducePlain<int16_t, Op>(r);
    case DataType::kInt32:
      return ReducePlain<int32_t, Op>(r);
    case DataType::kInt64:
      return ReducePlain<int64_t, Op>(r);
    case DataType::kFloat16:
      return ReduceFloatsOf<Half, Op>(r);
    case DataType::kFloat32:
      return ReduceFloatsOf<float, Op>(r);
    case DataType::kFloat64:
      return ReducePlain<double, Op>(r);
    case DataType::kBFloat16:
      return ReduceFloatsOf<BFloat16, Op>(r);
    case DataType::kBool:
      break;
  }
}

void ReduceBools(const Reduction& r) {
  if (r.op == ReduceOp::kSum || r.op == ReduceOp::kMax) return ReducePlain<uint8_t, Or>(r);
  ReducePlain<uint8_t, And>(r);
}

void Reduce(const Reduction& r) {
  if (r.dtype == DataType::kBool) return ReduceBools(r);
  switch (r.op) {
    case ReduceOp::kMin:
      return ReduceOf<Minimum>(r);
    case ReduceOp::kMax:
      return ReduceOf<Maximum>(r);
    case ReduceOp::kProduct:
      return ReduceOf<Product>(r);
    default:
      return ReduceOf<Sum>(r);
  }
}

template <typename From, typename To>
void Convert(int64_t count, const From* in, To* out) {
  ForEachVector(count, [&](int64_t i, auto lanes) { Store(out + i, Load(in + i, lanes), lanes); });
}

void Compress(int64_t count, const float* in, DataType to, uint16_t* out) {
  if (to == DataType::kFloat16) return Convert(count, in, reinterpret_cast<Half*>(out));
  Convert(count, in, reinterpret_cast<BFloat16*>(out));
}

void Expand(int64_t count, DataType from, const uint16_t* in, float* out) {
  if (from == DataType::kFloat16) return Convert(count, reinterpret_cast<const Half*>(in), out);
  Convert(count, reinterpret_cast<const BFloat16*>(in), out);
}

template <typename T>
void DotsOf(int64_t count, const T* a, const T* b, double* dot) {
  constexpr int kChains = 8;  // additions that do not wait for each other
  double ab[kChains] = {}, aa[kChains] = {}, bb[kChains] = {};
  int64_t i = 0;
  for (; i + kChains <= count; i += kChains)
    for (int k = 0; k < kChains; ++k) {
      const double x = a[i + k], y = b[i + k];
      ab[k] += x * y;
      aa[k] += x * x;
      bb[k] += y * y;
    }
  for (; i < count; ++i) {
    const double x = a[i], y = b[i];
    ab[0] += x * y;
    aa[0] += x * x;
    bb[0] += y * y;
  }
  dot[0] = dot[1] = dot[2] = 0;
  for (int k = 0; k < kChains; ++k) {
    dot[0] += ab[k];
    dot[1] += aa[k];
    dot[2] += bb[k];
  }
}

void Dots(int64_t count, const float* a, const float* b, double* dot) { DotsOf(count, a, b, dot); }
void Dots64(int64_t count, const double* a, const double* b, double* dot) { DotsOf(count, a, b, dot); }

}  // namespace

const ReduceKernelTable& ReduceKernelsOfIsa() {
  static constexpr ReduceKernelTable kTable = {Reduce, Compress, Expand, Dots, Dots64};
  return kTable;
}

}  // namespace headrace::hvd::HEADRACE_ISA
