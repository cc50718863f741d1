// Addition and conversion between storage types.
#include "tensor/isa/elementwise.h"

#include "tensor/isa/kernels.h"

namespace headrace::tensor::HEADRACE_ISA {
namespace {

template <typename From, typename To>
void ConvertAs(int64_t count, const From* in, To* out) {
  ForEachVectorParallel(count, [=](int64_t i, auto lanes) { Store(out + i, Load(in + i, lanes), lanes); });
}

template <typename From>
void ConvertFrom(int64_t count, const void* in, DType to, void* out) {
  WithType(to,
           [&](auto element) { ConvertAs(count, static_cast<const From*>(in), static_cast<decltype(element)*>(out)); });
}

}  // namespace

void Add(int64_t count, DType dtype, const void* a, const void* b, void* out) {
  WithType(dtype, [&](auto element) {
    using T = decltype(element);
    const T* left = static_cast<const T*>(a);
    const T* right = static_cast<const T*>(b);
    T* sum = static_cast<T*>(out);
    ForEachVectorParallel(
        count, [=](int64_t i, auto lanes) { Store(sum + i, Load(left + i, lanes) + Load(right + i, lanes), lanes); });
  });
}

void Convert(int64_t count, DType from, const void* in, DType to, void* out) {
  if (from == DType::kUInt8) return ConvertFrom<uint8_t>(count, in, to, out);
  if (from == DType::kBFloat16) return ConvertFrom<uint16_t>(count, in, to, out);
  ConvertFrom<float>(count, in, to, out);
}

}  // namespace headrace::tensor::HEADRACE_ISA
