// prefetch.h: asking for memory before it is needed.
#pragma once

#include "tensor/isa/simd.h"

namespace headrace::tensor::HEADRACE_ISA {

// Asks for the cache line some way ahead of `p`, where a kernel that walks through memory will be soon. The processor's
// own prefetcher stops at each page; alone it left a pass that only reads at two thirds of the speed of a copy. An
// address beyond the array does no harm.
template <typename T>
static inline void PrefetchAhead(const T* p) {
  constexpr uintptr_t kBytesAhead = 1024;
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(p) + kBytesAhead));
}

// Asks for the line at `p` in the second-level cache, for kernels that know where they will read. Any address will do.
static inline void PrefetchRead(const void* p) { __builtin_prefetch(p, 0, 2); }

// The same for a line about to be overwritten: gets it in exclusive state.
static inline void PrefetchWrite(const void* p) {
#if defined(__AVX512F__)  // every processor with AVX-512 has PREFETCHW
  asm volatile("prefetchw %0" ::"m"(*static_cast<const char*>(p)));
#else
  __builtin_prefetch(p, 1, 3);
#endif
}

}  // namespace headrace::tensor::HEADRACE_ISA
